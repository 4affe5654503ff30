import timers from 'node:timers';
import { randomBytes } from 'node:crypto';
import { BroadcastChannel, receiveMessageOnPort, setEnvironmentData } from 'node:worker_threads';
import type { DurationMs } from '@hearth/profile-model';
import type { Measures } from '../measures/measures.js';
import type { AgentSettings } from '../options/options.js';
import type { AgentLog } from '../safety/agent-log.js';
import type { Guard } from '../safety/guard.js';
import type { TransactionTracker } from '../transactions/transaction-tracker.js';
import { MergedThreads } from './merged-threads.js';
import { THREAD_PLACE, type FromThread, type ThreadPlace, type ToThreads } from './thread-messages.js';
import { ThreadNames } from './thread-name.js';

/** So long before the end of a period worker threads are asked for theirs. */
const ASK_BEFORE_MS: DurationMs = 250;
/** What is kept while it cannot be merged: beyond, its samples are lost and counted. */
const MAX_KEPT = 500;
/** Messages that are taken in one go at the end of a period. */
const MAX_DRAINED = 10_000;

/**
 * Worker threads, as the main thread sees them: they sample themselves, hand over what they measured shortly before each of its periods ends
 * and when they end, and it is sent in the main thread's batch. The channel is open before there is a worker: the first one may have ended
 * before the main thread turns to it, and what is sent where nobody listens is lost. It costs some 100 kB of heap once, and holds no process.
 */
export class ThreadPeriods {
  readonly #tracker: () => TransactionTracker;
  readonly #measures: Measures;
  readonly #log: AgentLog;
  readonly #guard: Guard;
  readonly #lost: (samples: number) => void;
  readonly #periodMs: DurationMs;
  readonly #place: ThreadPlace;
  readonly #names = new ThreadNames();
  /** Threads that are there, and whether they have answered since they were asked last. */
  readonly #threads = new Map<number, { hasAnswered: boolean }>();
  #channel: BroadcastChannel | undefined;
  #askTimer: NodeJS.Timeout | undefined;
  #merged: MergedThreads | undefined;
  /** What came while lines are recorded, whose stacks are of another kind. */
  #kept: (FromThread & { readonly kind: 'period' })[] = [];
  #isHeldBack = false;
  #isRetired = false;
  #onAnswered: () => void = () => {};

  /** @param lost - Gets raw samples for which there was no room. */
  constructor(
    tracker: () => TransactionTracker,
    measures: Measures,
    settings: AgentSettings,
    wiring: ThreadPlace['wiring'],
    log: AgentLog,
    guard: Guard,
    lost: (samples: number) => void,
  ) {
    this.#tracker = tracker;
    this.#measures = measures;
    this.#log = log;
    this.#guard = guard;
    this.#lost = lost;
    this.#periodMs = settings.periodMs;
    const { rateHz, periodMs, waits, http, budgetCpuPct, budgetPauseMs, key } = settings;
    const labelRules = settings.labelRules && { ...settings.labelRules.settings, key };
    const channel = `hearth-agent-${randomBytes(8).toString('hex')}`;
    this.#place = { channel, wiring, options: { rateHz, periodMs, waits, http, budgetCpuPct, budgetPauseMs }, labelRules };
  }

  start(): void {
    this.#guard.run(() => this.#open(), undefined);
    setEnvironmentData(THREAD_PLACE, { ...this.#place });
    this.#askLater();
  }

  /** Threads that are made from here on are not followed; at once, because another start may follow. */
  retire(): void {
    setEnvironmentData(THREAD_PLACE, undefined);
    this.#isRetired = true;
    timers.clearTimeout(this.#askTimer);
  }

  /** Worker threads measure no more from here on. */
  close(): void {
    this.#post({ kind: 'stop' });
    this.#channel?.close();
    this.#channel = undefined;
  }

  /** Something is kept that a last batch has to wait for. */
  get isKeeping(): boolean {
    return this.#isHeldBack && this.#kept.length + this.#threads.size > 0;
  }

  /** While lines are recorded, worker threads are not asked, and what comes is kept. */
  holdBack(isHeldBack: boolean): void {
    if (this.#isHeldBack && !isHeldBack) {
      this.#isHeldBack = false;
      for (const message of this.#kept.splice(0)) this.#merge(message);
    }
    this.#isHeldBack = isHeldBack;
  }

  /** Asks all threads for what they have. @returns `undefined` where there are none; else resolves when all have answered, or it took too long. */
  collect(timeoutMs: DurationMs): Promise<void> | undefined {
    if (this.#channel === undefined) return undefined;
    this.#drain();
    this.#ask();
    if (this.#threads.size === 0) return undefined;
    let timer: NodeJS.Timeout | undefined;
    return new Promise<void>((resolve) => {
      timer = timers.setTimeout(resolve, timeoutMs);
      this.#onAnswered = () => {
        if ([...this.#threads.values()].every(({ hasAnswered }) => hasAnswered)) resolve();
      };
    }).finally(() => {
      timers.clearTimeout(timer);
      this.#onAnswered = () => {};
    });
  }

  /** What has come since the last call, merged with the main thread's period that is about to end; `undefined` without any. */
  take(): MergedThreads | undefined {
    this.#drain();
    this.#askLater();
    const merged = this.#merged;
    this.#merged = undefined;
    return merged;
  }

  #open(): void {
    const channel = new BroadcastChannel(this.#place.channel);
    channel.onmessage = (event: unknown) => this.#take((event as { data: unknown }).data);
    channel.unref();
    this.#channel = channel;
  }

  #askLater(): void {
    timers.clearTimeout(this.#askTimer);
    if (this.#isRetired) return;
    this.#askTimer = timers
      .setTimeout(() => this.#guard.run(() => this.#ask(), undefined), Math.max(0, this.#periodMs - ASK_BEFORE_MS))
      .unref();
  }

  #ask(): void {
    if (this.#isHeldBack) return;
    for (const [thread, { hasAnswered }] of this.#threads) {
      if (hasAnswered) this.#threads.set(thread, { hasAnswered: false });
      else this.#threads.delete(thread); // it was ended from outside, or is busy: then it will be heard of again
    }
    this.#post({ kind: 'collect' });
  }

  #post(message: ToThreads): void {
    this.#guard.run(() => this.#channel?.postMessage(message), undefined);
  }

  /** What has arrived and waits for its turn of the event loop, which may never come. */
  #drain(): void {
    for (let at = 0; at < MAX_DRAINED && this.#channel !== undefined; at += 1) {
      const received = receiveMessageOnPort(this.#channel as never) as { readonly message: unknown } | undefined;
      if (received === undefined) return;
      this.#take(received.message);
    }
  }

  #take(data: unknown): void {
    const message = data as FromThread;
    this.#guard.run(() => {
      if (message.kind === 'hello') this.#threads.set(message.thread, { hasAnswered: true });
      else if (message.kind === 'says') this.#log[message.level](message.code, `worker thread: ${message.message}`);
      else if (message.kind === 'period') this.#takePeriod(message);
    }, undefined);
  }

  #takePeriod(message: FromThread & { readonly kind: 'period' }): void {
    if (message.isLast) this.#threads.delete(message.thread);
    else this.#threads.set(message.thread, { hasAnswered: true });
    if (!this.#isHeldBack) this.#merge(message);
    else if (this.#kept.length < MAX_KEPT) this.#kept.push(message);
    else this.#merge(message, 'counts');
    this.#onAnswered();
  }

  #merge({ name, batch }: FromThread & { readonly kind: 'period' }, what: 'all' | 'counts' = 'all'): void {
    const merged = (this.#merged ??= new MergedThreads());
    const of = [this.#names.limit(name), batch, this.#tracker().period, this.#measures] as const;
    const lost = what === 'all' ? merged.add(...of) : merged.addCounts(...of);
    if (lost > 0) this.#lost(lost);
  }
}
