import timers from 'node:timers';
import type { DurationMs } from '@hearth/profile-model';
import type { BatchBuffer, PackedBatch } from '../batching/batch-buffer.js';
import { describeError, type Guard } from '../safety/guard.js';
import type { AgentLog } from '../safety/agent-log.js';
import { verdictOf, type Verdict } from './answer.js';
import type { DiskSpool } from './disk-spool.js';
import { NameNotResolvedError, type PostTarget } from './http-post.js';
import { postBatch } from './post-batch.js';
import { retryDelayMs, slowRetryDelayMs } from './retry-policy.js';

const ANSWER_TIMEOUT_MS = 10_000;
/** Failures in a row before the log says that the server is away: one lost connection is not worth a line. */
const FAILURES_TO_SAY = 3;
/** Between two batches from the disk: six days of them are sent in an hour and a half, at a thousandth or two of a core's time. */
const SPOOL_PACE_MS = 100;
/** A disk that has not answered by then is gone on without. */
const DISK_TIMEOUT_MS: DurationMs = 3_000;
/** So many from the disk are sent by a process that ends, if there is time: some services are only ever processes that end. */
const SPOOLED_AT_END = 5;

/** A batch to be sent, wherever it was kept. */
interface Outgoing {
  readonly bytes: Uint8Array;
  readonly isSpooled: boolean;
  /** It is stored. */
  stored(): void;
  /** It is refused for good. */
  refused(): void;
  putOff(): void;
}

/**
 * Sends what the buffer holds, oldest first, one at a time. A batch stays in the buffer until it is acknowledged or refused for good;
 * sent twice, it is stored once, because (process id, sequence) is its identity.
 *
 * With a spool, what could not be sent goes from the buffer to the disk, and so does all that comes while the server is away. When the buffer has been
 * sent, the disk follows, oldest first: what is new is not kept waiting by what is old.
 */
export class Shipper {
  readonly #target: PostTarget;
  readonly #buffer: BatchBuffer;
  readonly #spool: DiskSpool | undefined;
  readonly #log: AgentLog;
  readonly #guard: Guard;
  readonly #onAnswer: (body: unknown) => void;
  #sending: Promise<void> | undefined;
  #spilling: Promise<void> | undefined;
  /** Taken out of the buffer, and not on the disk yet. */
  #spilled: PackedBatch | undefined;
  /** The disk was asked for something and has not answered in time: it is asked for nothing more until it does. */
  #isDiskHung = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #failures = 0;
  /** The last attempt was put off. */
  #isAway = false;
  #isConnected = false;
  #isStopped = false;
  /** The last attempt did not get beyond the lookup of the server's name. */
  #isNameUnknown = false;

  /** @param onAnswer - Gets the body of each answer that acknowledges a batch. */
  constructor(
    target: PostTarget,
    buffer: BatchBuffer,
    spool: DiskSpool | undefined,
    log: AgentLog,
    guard: Guard,
    onAnswer: (body: unknown) => void,
  ) {
    this.#target = target;
    this.#buffer = buffer;
    this.#spool = spool;
    this.#log = log;
    this.#guard = guard;
    this.#onAnswer = onAnswer;
  }

  /** What would be lost with the process: neither sent nor on the disk. */
  get unsaved(): readonly PackedBatch[] {
    return this.#spilled === undefined ? this.#buffer.all : [this.#spilled, ...this.#buffer.all];
  }

  get isDiskHung(): boolean {
    return this.#isDiskHung;
  }

  /** Something is in the buffer, or on the disk: sends it; while it waits after a failure, puts it on the disk. */
  wake(): void {
    if (this.#retryTimer === undefined) void this.#send('more-to-come').catch(this.#guard.report);
    else if (this.#isAway) void this.spill();
  }

  /**
   * Sends now, whatever it waits for.
   *
   * @param which - `last`: the process may be about to end. Then a name that could not be looked up is not looked up again: nothing can
   *   end a lookup, and it would hold the process.
   * @returns Whether all was acknowledged, or refused for good. Never rejects.
   */
  async flush(which: 'more-to-come' | 'last'): Promise<boolean> {
    await this.#sending; // what it sends may be an older attempt
    this.#clearRetry();
    if (which === 'more-to-come' || !this.#isNameUnknown) await this.#send(which);
    return this.unsaved.length === 0 && this.#spool?.hasWaiting !== true;
  }

  /** What waits in memory goes to the disk, where it outlives the process. Nothing without a spool. Never rejects. */
  spill(): Promise<void> {
    this.#spilling ??= this.#spillAll().finally(() => {
      this.#spilling = undefined;
    });
    return this.#spilling;
  }

  /** Sends nothing any more; what is on its way may still be stored. */
  stop(): void {
    this.#isStopped = true;
    this.#clearRetry();
  }

  #send(which: 'more-to-come' | 'last'): Promise<void> {
    this.#sending ??= this.#sendAll(which).finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async #sendAll(which: 'more-to-come' | 'last'): Promise<void> {
    this.#buffer.dropOld(performance.now());
    for (let spooledCount = 0; !this.#isStopped;) {
      const outgoing = this.#oldestOfBuffer() ?? (await this.#oldestOfSpool());
      if (outgoing === undefined) {
        if (this.#buffer.oldest === undefined) return;
        continue; // it came while the disk was asked
      }
      const delayMs = this.#take(outgoing, await this.#post(outgoing.bytes));
      if (delayMs !== undefined) {
        await this.spill();
        return this.#sendLater(delayMs);
      }
      if (!outgoing.isSpooled) continue;
      spooledCount += 1;
      if (which === 'more-to-come' || spooledCount >= SPOOLED_AT_END) return this.#sendLater(SPOOL_PACE_MS);
    }
  }

  #sendLater(delayMs: DurationMs): void {
    if (this.#isStopped) return;
    this.#clearRetry();
    this.#retryTimer = timers
      .setTimeout(() => {
        this.#retryTimer = undefined;
        void this.#send('more-to-come').catch(this.#guard.report);
      }, delayMs)
      .unref();
  }

  #oldestOfBuffer(): Outgoing | undefined {
    const batch = this.#buffer.oldest;
    if (batch === undefined) return undefined;
    return {
      bytes: batch.bytes,
      isSpooled: false,
      stored: () => this.#buffer.remove(batch),
      refused: () => this.#buffer.drop(batch),
      putOff: () => {},
    };
  }

  async #oldestOfSpool(): Promise<Outgoing | undefined> {
    const spool = this.#spool;
    if (spool === undefined) return undefined;
    const batch = await this.#fromDisk(
      () => spool.takeOldest(),
      (late) => void (late && spool.putBack(late)),
    );
    if (batch === undefined) return undefined;
    return {
      bytes: batch.bytes,
      isSpooled: true,
      stored: () => void spool.remove(batch),
      refused: () => {
        void spool.remove(batch);
        this.#buffer.countLost(batch.file.standsFor);
      },
      putOff: () => void spool.putBack(batch),
    };
  }

  /**
   * @param onLate - Gets what comes after the disk was given up for the time being.
   * @returns `undefined` where the disk does not answer in time, and while it hangs.
   */
  async #fromDisk<Answer>(ask: () => Promise<Answer>, onLate: (late: Answer) => void): Promise<Answer | undefined> {
    if (this.#isDiskHung) return undefined;
    const answer = ask();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<'late'>((resolve) => {
      timer = timers.setTimeout(() => resolve('late'), DISK_TIMEOUT_MS).unref();
    });
    const first = await Promise.race([answer.then((value) => ({ value })), timeout]);
    timers.clearTimeout(timer);
    if (first !== 'late') return first.value;
    this.#isDiskHung = true;
    void answer.then((late) => {
      this.#isDiskHung = false;
      onLate(late);
    }, this.#guard.report);
    return undefined;
  }

  async #spillAll(): Promise<void> {
    const spool = this.#spool;
    if (spool === undefined || this.#isDiskHung) return;
    for (let batch = this.#buffer.oldest; batch !== undefined; batch = this.#buffer.oldest) {
      // Out of the buffer first: what it drops meanwhile it counts as lost.
      this.#buffer.remove(batch);
      this.#spilled = batch;
      const saved = batch;
      const isSaved = await this.#fromDisk(
        () => spool.save(saved),
        (isSavedLate) => void (isSavedLate && this.#buffer.remove(saved)),
      );
      this.#spilled = undefined;
      if (isSaved !== true) return this.#buffer.putBack(batch);
    }
  }

  async #post(bytes: Uint8Array): Promise<Verdict> {
    try {
      const answer = await postBatch(this.#target, bytes, ANSWER_TIMEOUT_MS);
      this.#isNameUnknown = false;
      return verdictOf(answer, Date.now());
    } catch (error) {
      this.#isNameUnknown = error instanceof NameNotResolvedError;
      return {
        kind: 'try-later',
        reason: error instanceof Error ? error.message || describeError(error) : describeError(error),
        retryAfterMs: undefined,
      };
    }
  }

  /** @returns How long to wait before the next attempt; `undefined` to go on at once. */
  #take(outgoing: Outgoing, verdict: Verdict): DurationMs | undefined {
    this.#isAway = verdict.kind !== 'stored' && verdict.kind !== 'refused';
    if (this.#isAway) outgoing.putOff();
    const { url } = this.#target;
    switch (verdict.kind) {
      case 'stored':
        outgoing.stored();
        this.#failures = 0;
        if (!this.#isConnected) this.#log.info('AGENT_CONNECTED', `first batch stored by ${url.origin}`);
        this.#isConnected = true;
        this.#guard.run(() => this.#onAnswer(verdict.body), undefined);
        return undefined;
      case 'refused':
        outgoing.refused();
        this.#failures = 0;
        this.#log.warn(
          'AGENT_BATCH_REFUSED',
          `${url.origin} refused a batch for good (${verdict.reason}); it is dropped and counted`,
        );
        return undefined;
      case 'key-refused':
        this.#log.warn(
          'AGENT_KEY_REFUSED',
          `${url.origin} refused the key (${verdict.reason}); check HEARTH_KEY. Trying on, slowly`,
        );
        return slowRetryDelayMs(Math.random());
      case 'wrong-address':
        this.#log.warn(
          'AGENT_WRONG_ADDRESS',
          `${url.origin}${url.pathname} does not answer as Hearth does (${verdict.reason}); check HEARTH_URL. Trying on, slowly`,
        );
        return slowRetryDelayMs(Math.random());
      case 'try-later':
        this.#failures += 1;
        if (this.#failures === FAILURES_TO_SAY) {
          this.#log.warn(
            'AGENT_SERVER_AWAY',
            `${url.origin} does not take batches (${verdict.reason}); keeping ${this.#spool === undefined ? 'up to ten minutes of them' : 'them on the disk'}, and trying on`,
          );
        }
        return retryDelayMs(this.#failures, verdict.retryAfterMs, Math.random());
    }
  }

  #clearRetry(): void {
    timers.clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
  }
}
