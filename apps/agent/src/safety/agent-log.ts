import { writeSync } from 'node:fs';

/** Where the agent's few lines go; the host may give its own. */
export interface AgentLogger {
  info(message: string): void;
  warn(message: string): void;
}

/** What the agent has to say. Each code has a section in docs/errors/agent.md. */
export type AgentMessageCode =
  | 'AGENT_STARTED'
  | 'AGENT_CONNECTED'
  | 'AGENT_ALREADY_STARTED'
  | 'AGENT_NO_KEY'
  | 'AGENT_OPTION'
  | 'AGENT_WORKER_THREAD'
  | 'AGENT_OTHER_RUNTIME'
  | 'AGENT_SAMPLER_FALLBACK'
  | 'AGENT_NO_SAMPLER'
  | 'AGENT_NO_HEAP_SAMPLER'
  | 'AGENT_NO_LINES'
  | 'AGENT_RECORDS_LINES'
  | 'AGENT_NO_CALLS'
  | 'AGENT_COUNTS_CALLS'
  | 'AGENT_CALLS_CUT'
  | 'AGENT_RAISED_RATE'
  | 'AGENT_NO_RAISE'
  | 'AGENT_NO_WAITS'
  | 'AGENT_GOVERNOR'
  | 'AGENT_NO_EXEMPLARS'
  | 'AGENT_FAULT'
  | 'AGENT_NO_TRANSACTION'
  | 'AGENT_CONTEXT_LOST'
  | 'AGENT_KEY_REFUSED'
  | 'AGENT_WRONG_ADDRESS'
  | 'AGENT_SERVER_AWAY'
  | 'AGENT_BATCH_REFUSED'
  | 'AGENT_SOURCE_MAP_SENT'
  | 'AGENT_SOURCE_MAP_NOT_SENT'
  | 'AGENT_SPOOL_UNUSABLE'
  | 'AGENT_SPOOL_DAMAGED';

/** The same message again is swallowed for this long, and counted. */
const REPEAT_AFTER_MS = 60_000;

/** The agent's own log: quiet, never in the way, never throwing. */
export class AgentLog {
  #logger: AgentLogger = standardErrorLogger;
  #speak: ((level: 'info' | 'warn', code: AgentMessageCode, message: string) => void) | undefined;
  readonly #saidAtMs = new Map<AgentMessageCode, number>();
  readonly #swallowed = new Map<AgentMessageCode, number>();

  useLogger(logger: AgentLogger | undefined): void {
    this.#logger = logger ?? standardErrorLogger;
  }

  /** From here on somebody else says it: the main thread, for its workers. */
  sendTo(speak: (level: 'info' | 'warn', code: AgentMessageCode, message: string) => void): void {
    this.#speak = speak;
  }

  info(code: AgentMessageCode, message: string): void {
    this.#say('info', code, message);
  }

  /** Says it at most once a minute and code. */
  warn(code: AgentMessageCode, message: string): void {
    this.#say('warn', code, message);
  }

  /** Whether it would be said now, and not swallowed. */
  wouldSay(code: AgentMessageCode): boolean {
    return performance.now() - (this.#saidAtMs.get(code) ?? -Infinity) >= REPEAT_AFTER_MS;
  }

  #say(level: 'info' | 'warn', code: AgentMessageCode, message: string): void {
    const swallowed = this.#swallowed.get(code) ?? 0;
    if (!this.wouldSay(code)) {
      this.#swallowed.set(code, swallowed + 1);
      return;
    }
    this.#saidAtMs.set(code, performance.now());
    this.#swallowed.set(code, 0);
    try {
      const text = `${message}${swallowed > 0 ? ` (and ${swallowed} times more)` : ''}`;
      if (this.#speak !== undefined) this.#speak(level, code, text);
      else this.#logger[level](`[hearth] ${text} [${code}]`);
    } catch {
      // The host's logger is the host's; a fault in it must not become one of ours.
    }
  }
}

/** Not through the stream: a closed pipe would make it emit an error, and that would be the host's. The caller catches ours. */
function writeLine(message: string): void {
  writeSync(STANDARD_ERROR, `${message}\n`);
}

/** Not standard output: that may be what the host is for. */
const STANDARD_ERROR = 2;
const standardErrorLogger: AgentLogger = {
  info: writeLine,
  warn: writeLine,
};
