import timers from 'node:timers';
import type { DurationMs } from '@hearth/profile-model';
import type { AgentLog } from '../safety/agent-log.js';
import { describeError, type Guard } from '../safety/guard.js';
import type { StackSampler } from '../samplers/stack-sampler.js';

/** Lets the sampler tell lines instead of scopes for a while, between two periods that end for it. */
export class LineRecording {
  readonly #sampler: () => StackSampler | undefined;
  readonly #endPeriod: () => void;
  readonly #onChange: (lines: 'definition' | 'call-site') => void;
  readonly #log: AgentLog;
  readonly #guard: Guard;
  #timer: NodeJS.Timeout | undefined;

  /** @param endPeriod - Ends the period as if it were the last: nothing of it waits for the next, whose stacks have other lines. */
  constructor(
    sampler: () => StackSampler | undefined,
    endPeriod: () => void,
    onChange: (lines: 'definition' | 'call-site') => void,
    log: AgentLog,
    guard: Guard,
  ) {
    this.#onChange = onChange;
    this.#sampler = sampler;
    this.#endPeriod = endPeriod;
    this.#log = log;
    this.#guard = guard;
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  start(durationMs: DurationMs): void {
    if (this.isRunning) return;
    const sampler = this.#sampler();
    if (sampler === undefined) return;
    this.#endPeriod();
    try {
      sampler.sampleLines('call-site');
    } catch (fault) {
      this.#log.warn('AGENT_NO_LINES', `lines cannot be recorded here: ${describeError(fault)}`);
      return;
    }
    this.#onChange('call-site');
    this.#log.info('AGENT_RECORDS_LINES', `asked by the server, for ${durationMs / 1_000} s; its samples carry no labels`);
    this.#timer = timers
      .setTimeout(() => {
        this.#guard.run(() => this.#endPeriod(), undefined);
        this.#guard.run(() => this.end(), undefined);
      }, durationMs)
      .unref();
  }

  /** Without ending the period: the sampler is about to stop. */
  stop(): void {
    timers.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Where a period has just ended. */
  end(): void {
    this.stop();
    this.#guard.run(() => this.#sampler()?.sampleLines('definition'), undefined);
    this.#onChange('definition');
  }
}
