import timers from 'node:timers';
import { AsyncResource } from 'node:async_hooks';
import type { DurationMs } from '@hearth/profile-model';
import type { ProcessSeriesValue } from '@hearth/wire-format';
import type { AgentLog } from '../safety/agent-log.js';
import { describeError, type Guard } from '../safety/guard.js';
import type { StackSampler } from '../samplers/stack-sampler.js';

/** Why the rate is raised. */
export type RaiseCause = 'slow' | 'cpu' | 'heap' | 'signal' | 'command';

/** Of one raise, whoever asks for it. */
export const MAX_RAISE_MS: DurationMs = 60_000;
/** After a raise there is none for so many times as long: it is a tenth of the time at most, however often somebody asks. */
const QUIET_TIMES = 9;
/** After one that was too much, or did not come about. */
const LONG_QUIET_MS: DurationMs = 600_000;

export interface RaiseSettings {
  /** Samples a second while it is raised. */
  readonly rateHz: number;
  /** Of a raise that nobody gave another length. */
  readonly durationMs: DurationMs;
}

/** What a raise needs of a sampler. */
type RaisableSampler = Pick<StackSampler, 'rateHz' | 'samplingHz' | 'raiseRate' | 'lowerRate'>;

/**
 * Raises the sampling rate for a while. The sampler takes its turns where a period ends, so a period has one rate: who begins or ends a raise ends the
 * period, too. What is asked for meanwhile, or soon after it, is not done.
 */
export class RateRaise {
  readonly #sampler: () => RaisableSampler | undefined;
  readonly #mayBegin: () => boolean;
  readonly #endPeriod: () => void;
  readonly #settings: RaiseSettings;
  readonly #log: AgentLog;
  readonly #guard: Guard;
  /** Of the agent: what asks runs in the host's, and what is begun there would be the host's, too. */
  readonly #ownContext = new AsyncResource('HEARTH_RATE_RAISE', { requireManualDestroy: true });
  /** Those that there were. */
  readonly #causes = new Set<RaiseCause>();
  #cause: RaiseCause | undefined;
  #beganAt = 0;
  #quietUntil = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #isAsked = false;

  /** @param endPeriod - Ends the period that runs. */
  constructor(
    sampler: () => RaisableSampler | undefined,
    mayBegin: () => boolean,
    endPeriod: () => void,
    settings: RaiseSettings,
    log: AgentLog,
    guard: Guard,
  ) {
    this.#sampler = sampler;
    this.#mayBegin = mayBegin;
    this.#endPeriod = endPeriod;
    this.#settings = settings;
    this.#log = log;
    this.#guard = guard;
  }

  /** From the end of the period in which it was asked for to the end of the one in which it ends. */
  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  /** Whether the period that runs has the higher rate. */
  get isRaised(): boolean {
    const sampler = this.#sampler();
    return sampler !== undefined && sampler.samplingHz !== sampler.rateHz;
  }

  /** The rate of the period that ends now, and why it was raised; from the first raise on. */
  get series(): ProcessSeriesValue[] {
    const sampler = this.#sampler();
    if (this.#causes.size === 0 || sampler === undefined) return [];
    const { isRaised } = this;
    return [
      { name: 'agent_sampling_rate_hz', value: sampler.samplingHz },
      ...[...this.#causes].map((cause) => ({
        name: `agent_raised_by_${cause}_ratio`,
        value: isRaised && cause === this.#cause ? 1 : 0,
      })),
    ];
  }

  /** From where the host works: it is raised once that is done. */
  ask(cause: RaiseCause, why: string): void {
    if (this.#isAsked || !this.#isFree) return;
    this.#isAsked = true;
    this.#ownContext.runInAsyncScope(() => {
      timers
        .setImmediate(() => {
          this.#isAsked = false;
          this.#guard.run(() => this.start(cause, why), undefined);
        })
        .unref();
    });
  }

  /** @returns Whether it is raised from now on. */
  start(cause: RaiseCause, why: string, durationMs?: DurationMs): boolean {
    if (!this.prepare(cause, why, durationMs)) return false;
    this.#endPeriod();
    return this.isRunning;
  }

  /** The same from the end of this period on, which whoever calls is about to end. */
  prepare(cause: RaiseCause, why: string, durationMs: DurationMs = this.#settings.durationMs): boolean {
    const sampler = this.#sampler();
    if (sampler === undefined || !this.#isFree) return false;
    try {
      sampler.raiseRate(this.#settings.rateHz);
    } catch (fault) {
      this.#giveUp(describeError(fault));
      return false;
    }
    this.#cause = cause;
    this.#causes.add(cause);
    this.#beganAt = performance.now();
    const lastsMs = Math.min(durationMs, MAX_RAISE_MS);
    const end = (): void => {
      this.lower();
      this.#endPeriod();
    };
    this.#timer = timers.setTimeout(() => this.#guard.run(end, undefined), lastsMs).unref();
    this.#log.info('AGENT_RAISED_RATE', `${why}: ${this.#settings.rateHz} samples a second for ${lastsMs / 1_000} s`);
    return true;
  }

  /** To be called where the sampler has ended a period, and may have taken its turn. */
  periodEnded(): void {
    if (!this.isRunning || this.isRaised) return;
    this.stop();
    this.#giveUp('the sampler stays at its rate');
  }

  /** The agent was over its budget in a period that was raised. */
  endAsTooMuch(): void {
    if (!this.isRunning) return;
    this.lower();
    this.#quietUntil = performance.now() + LONG_QUIET_MS;
    this.#endPeriod();
    this.#log.info('AGENT_GOVERNOR', 'the sampling rate is not raised any more: the agent was over its budget');
  }

  /** It ends with this period, which whoever calls is about to end. */
  lower(): void {
    if (!this.isRunning) return;
    this.stop();
    const now = performance.now();
    this.#quietUntil = Math.max(this.#quietUntil, now + QUIET_TIMES * (now - this.#beganAt));
    this.#sampler()?.lowerRate();
  }

  /** The sampler is about to stop. */
  stop(): void {
    timers.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  get #isFree(): boolean {
    return !this.isRunning && !this.isRaised && performance.now() >= this.#quietUntil && this.#mayBegin();
  }

  #giveUp(reason: string): void {
    this.#quietUntil = performance.now() + LONG_QUIET_MS;
    this.#log.warn('AGENT_NO_RAISE', `the sampling rate cannot be raised here, or not now: ${reason}`);
  }
}
