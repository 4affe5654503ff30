import timers from 'node:timers';
import { pathToFileURL } from 'node:url';
import type { CountCalls } from '../remote/read-commands.js';
import type { AgentLog } from '../safety/agent-log.js';
import { describeError, type Guard } from '../safety/guard.js';
import { ownFolder } from '../safety/own-place.js';
import { CallCounter } from './call-counter.js';
import { chosenFunctions } from './chosen-functions.js';
import { definitionPlaces } from './definition-places.js';
import type { CountedCalls } from './pack-calls.js';

/** How often it looks whether the time is over, and whether the host comes to its turn. */
const LOOK_EVERY_MS = 100;
/** So late a turn of the event loop ends the counting: V8 runs slower while it counts, and the host has no time left. */
const MAX_LATE_MS = 1_000;

const OWN_FOLDER = ownFolder(import.meta.url);
const OWN_URL = OWN_FOLDER === undefined ? '' : `${pathToFileURL(OWN_FOLDER).href}/`;

/** Counts calls for a while when it is asked, and hands them to a period afterwards. */
export class CallCounting {
  readonly #counter = new CallCounter();
  readonly #onCounted: (counted: CountedCalls) => void;
  readonly #log: AgentLog;
  readonly #guard: Guard;
  #timer: NodeJS.Timeout | undefined;

  constructor(onCounted: (counted: CountedCalls) => void, log: AgentLog, guard: Guard) {
    this.#onCounted = onCounted;
    this.#log = log;
    this.#guard = guard;
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  start(command: CountCalls): void {
    if (this.isRunning) return;
    const { durationMs } = command;
    try {
      this.#counter.start();
    } catch (fault) {
      this.#log.warn('AGENT_NO_CALLS', `calls cannot be counted here: ${describeError(fault)}`);
      return;
    }
    this.#log.info('AGENT_COUNTS_CALLS', `asked by the server, for ${durationMs / 1_000} s; what runs meanwhile runs slower`);
    const beganAt = performance.now();
    let lookedAt = beganAt;
    this.#timer = timers
      .setInterval(() => {
        const now = performance.now();
        const isLate = now - lookedAt > LOOK_EVERY_MS + MAX_LATE_MS;
        lookedAt = now;
        if (!isLate && now - beganAt < durationMs) return;
        if (isLate && now - beganAt < durationMs)
          this.#log.warn(
            'AGENT_CALLS_CUT',
            `counted calls for ${((now - beganAt) / 1_000).toFixed(1)} s only: the event loop was late`,
          );
        this.#guard.run(() => this.#end(command), undefined);
      }, LOOK_EVERY_MS)
      .unref();
  }

  /** What was counted is lost: the process is about to end, or the agent. */
  stop(): void {
    timers.clearInterval(this.#timer);
    this.#timer = undefined;
    this.#guard.run(() => this.#counter.stop(), undefined);
  }

  #end(command: CountCalls): void {
    timers.clearInterval(this.#timer);
    this.#timer = undefined;
    try {
      const chosen = chosenFunctions(this.#counter.take(), command, OWN_URL);
      void definitionPlaces(chosen.functions)
        .then((places) => this.#onCounted({ chosen, places }))
        .catch(this.#guard.report);
    } finally {
      this.#counter.stop();
    }
  }
}
