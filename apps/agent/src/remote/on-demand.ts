import { CallCounting } from '../calls/call-counting.js';
import type { CountedCalls } from '../calls/pack-calls.js';
import type { AgentSettings } from '../options/options.js';
import type { AgentLog } from '../safety/agent-log.js';
import type { Guard } from '../safety/guard.js';
import type { StackSampler } from '../samplers/stack-sampler.js';
import { LoadTrigger } from '../triggers/load-trigger.js';
import { RateRaise } from '../triggers/rate-raise.js';
import { LineRecording } from './line-recording.js';
import { readCommands, type Command } from './read-commands.js';

const COMMANDS_REMEMBERED = 64;

/** What it changes, and tells of it. */
export interface OnDemandTarget {
  readonly sampler: () => StackSampler | undefined;
  readonly endPeriod: (which: 'more-to-come' | 'last') => void;
  readonly linesChanged: (lines: 'definition' | 'call-site') => void;
  readonly callsCounted: (counted: CountedCalls) => void;
}

/** What is measured for a while because somebody asks for it, the server or something that happens here: lines, calls, a higher rate; one after the other. */
export class OnDemand {
  /** `undefined` in a worker thread: its rate is the main thread's business. */
  readonly raise: RateRaise | undefined;
  readonly #lines: LineRecording;
  readonly #calls: CallCounting;
  readonly #load: LoadTrigger;
  readonly #isRemote: boolean;
  /** Commands that were begun, the latest last: the server offers one until it expires. */
  readonly #begunCommands: string[] = [];
  #isClosed = false;

  constructor(target: OnDemandTarget, thread: 'main' | 'worker', settings: AgentSettings, log: AgentLog, guard: Guard) {
    this.#lines = new LineRecording(target.sampler, () => target.endPeriod('last'), target.linesChanged, log, guard);
    this.#calls = new CallCounting(target.callsCounted, log, guard);
    if (thread === 'main')
      this.raise = new RateRaise(
        target.sampler,
        () => !this.#isOneRunning && !this.#isClosed,
        () => target.endPeriod('more-to-come'),
        settings.triggers,
        log,
        guard,
      );
    this.#load = new LoadTrigger(settings.triggers);
    this.#isRemote = settings.remote === 'on';
  }

  /** @param body - The server's answer to a batch. */
  obey(body: unknown, processId: string): void {
    if (!this.#isRemote || this.#isClosed) return;
    for (const command of readCommands(body, processId)) {
      if (this.#begunCommands.includes(command.id) || !this.#begin(command)) continue;
      this.#begunCommands.push(command.id);
      if (this.#begunCommands.length > COMMANDS_REMEMBERED) this.#begunCommands.shift();
    }
  }

  /** Where a period is about to end that is not the last. */
  lookAtLoad(): void {
    const above = this.#isClosed ? undefined : this.#load.look();
    if (above !== undefined) this.raise?.prepare(above.cause, above.why);
  }

  /** Nothing is begun from here on; what runs, runs on. */
  close(): void {
    this.#isClosed = true;
  }

  /** Lines are recorded no longer; where a period has just ended. */
  endLines(): void {
    this.#lines.end();
  }

  /** The sampler is about to stop. */
  stop(): void {
    this.#lines.stop();
    this.#calls.stop();
    this.raise?.stop();
  }

  get #isOneRunning(): boolean {
    return this.#lines.isRunning || this.#calls.isRunning;
  }

  /** @returns `false`: not now; it is offered again. */
  #begin(command: Command): boolean {
    if (this.#isOneRunning) return false;
    if (command.kind === 'raise-rate') return this.raise?.start('command', 'asked by the server', command.durationMs) ?? false;
    if (command.kind === 'count-calls') {
      this.#calls.start(command);
      return true;
    }
    this.raise?.lower(); // its period is ended for the lines
    this.#lines.start(command.durationMs);
    return true;
  }
}
