import type { DurationMs } from '@hearth/profile-model';
import type { BatchBuffer, PackedBatch } from '../batching/batch-buffer.js';
import { describeError, type Guard } from '../safety/guard.js';
import type { AgentLog } from '../safety/agent-log.js';
import { verdictOf, type Verdict } from './answer.js';
import { NameNotResolvedError, postBatch, type PostTarget } from './post-batch.js';
import { retryDelayMs, slowRetryDelayMs } from './retry-policy.js';

const ANSWER_TIMEOUT_MS = 10_000;
/** Failures in a row before the log says that the server is away: one lost connection is not worth a line. */
const FAILURES_TO_SAY = 3;

/**
 * Sends what the buffer holds, oldest first, one at a time. A batch stays in the buffer until it is acknowledged or refused for good;
 * sent twice, it is stored once, because (process id, sequence) is its identity.
 */
export class Shipper {
  readonly #target: PostTarget;
  readonly #buffer: BatchBuffer;
  readonly #log: AgentLog;
  readonly #guard: Guard;
  readonly #onAnswer: (body: unknown) => void;
  #sending: Promise<void> | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isConnected = false;
  #isStopped = false;
  /** The last attempt did not get beyond the lookup of the server's name. */
  #isNameUnknown = false;

  /** @param onAnswer - Gets the body of each answer that acknowledges a batch. */
  constructor(target: PostTarget, buffer: BatchBuffer, log: AgentLog, guard: Guard, onAnswer: (body: unknown) => void) {
    this.#target = target;
    this.#buffer = buffer;
    this.#log = log;
    this.#guard = guard;
    this.#onAnswer = onAnswer;
  }

  /** Something is in the buffer: sends it, unless it waits after a failure. */
  wake(): void {
    if (this.#retryTimer === undefined) void this.#send().catch(this.#guard.report);
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
    if (which === 'more-to-come' || !this.#isNameUnknown) await this.#send();
    return this.#buffer.length === 0;
  }

  /** Sends nothing any more; what is on its way may still be stored. */
  stop(): void {
    this.#isStopped = true;
    this.#clearRetry();
  }

  #send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    this.#buffer.dropOld(Date.now());
    for (let batch = this.#buffer.oldest; batch !== undefined && !this.#isStopped; batch = this.#buffer.oldest) {
      const delayMs = this.#take(batch, await this.#post(batch));
      if (delayMs === undefined || this.#isStopped) continue;
      this.#clearRetry();
      this.#retryTimer = setTimeout(() => {
        this.#retryTimer = undefined;
        void this.#send().catch(this.#guard.report);
      }, delayMs).unref();
      return;
    }
  }

  async #post(batch: PackedBatch): Promise<Verdict> {
    try {
      const answer = await postBatch(this.#target, batch.bytes, ANSWER_TIMEOUT_MS);
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
  #take(batch: PackedBatch, verdict: Verdict): DurationMs | undefined {
    const { url } = this.#target;
    switch (verdict.kind) {
      case 'stored':
        this.#buffer.remove(batch);
        this.#failures = 0;
        if (!this.#isConnected) this.#log.info('AGENT_CONNECTED', `first batch stored by ${url.origin}`);
        this.#isConnected = true;
        this.#guard.run(() => this.#onAnswer(verdict.body), undefined);
        return undefined;
      case 'refused':
        this.#buffer.drop(batch);
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
            `${url.origin} does not take batches (${verdict.reason}); keeping up to ten minutes of them, and trying on`,
          );
        }
        return retryDelayMs(this.#failures, verdict.retryAfterMs, Math.random());
    }
  }

  #clearRetry(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
  }
}
