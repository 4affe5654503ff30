import * as workerThreads from 'node:worker_threads';
import type { Batch } from '@hearth/wire-format';
import type { AgentMessageCode } from '../safety/agent-log.js';
import type { DurationMs } from '@hearth/profile-model';
import type { Guard } from '../safety/guard.js';
import { patchMethod, type Undo } from '../waits/patch-method.js';
import type { FromThread, ThreadPlace, ToThreads } from './thread-messages.js';
import { kindOfThread } from './thread-name.js';

const { BroadcastChannel, threadId } = workerThreads;

/** What a thread has that blocks itself is handed over as often as this, as a part of a period. */
const PART_OF_PERIOD = 0.25;

/** A worker thread's way to the main thread, where what it measured is sent. Takes the place of an outbox; never keeps the thread alive. */
export class ThreadLink {
  /** At the end of the thread the main thread still gets what it is given. */
  readonly keepsAtExit = true;
  readonly series = [];
  readonly #channel: workerThreads.BroadcastChannel;
  readonly #guard: Guard;
  readonly #name = kindOfThread((workerThreads as { readonly threadName?: unknown }).threadName);

  readonly #oftenMs: DurationMs;
  #handedOverAt = performance.now();
  #undoWait: Undo | undefined;

  constructor(place: ThreadPlace, guard: Guard) {
    this.#guard = guard;
    this.#oftenMs = place.options.periodMs * PART_OF_PERIOD;
    this.#channel = new BroadcastChannel(place.channel);
    this.#channel.unref();
  }

  /** From here on the main thread asks. */
  open(onCollect: () => void, onStop: () => void): void {
    this.#channel.onmessage = (event: unknown) => {
      const { kind } = (event as { data: ToThreads }).data;
      this.#guard.run(() => (kind === 'collect' ? onCollect() : kind === 'stop' ? onStop() : undefined), undefined);
    };
    this.#channel.unref(); // a listener holds it again
    this.#post({ kind: 'hello', thread: threadId });
    // Pools let their threads wait for work without returning to the event loop, and terminate them there: no message reaches those.
    this.#undoWait = patchMethod(Atomics, 'wait', (wait) => {
      const handOver = (): void => {
        if (performance.now() - this.#handedOverAt >= this.#oftenMs) this.#guard.run(onCollect, undefined);
      };
      return function ours(this: unknown, ...args) {
        handOver();
        return wait.apply(this, args);
      };
    });
  }

  say(level: 'info' | 'warn', code: AgentMessageCode, message: string): void {
    this.#post({ kind: 'says', thread: threadId, level, code, message });
  }

  put(batch: Batch, _standsFor: unknown, which: 'more-to-come' | 'last'): void {
    this.#handedOverAt = performance.now();
    const { functions, stacks, labelSets, profiles, transactions, series, report, exemplars } = batch;
    this.#post({
      kind: 'period',
      thread: threadId,
      name: this.#name,
      isLast: which === 'last',
      batch: { functions, stacks, labelSets, profiles, transactions, series, report, exemplars },
    });
  }

  takeDropped(): { batches: number; samples: number } {
    return { batches: 0, samples: 0 };
  }

  countLost(): void {}

  /** The main thread has it. */
  flush(): Promise<boolean> {
    return Promise.resolve(true);
  }

  saveAtExit(): void {}

  stop(): void {
    this.#undoWait?.();
    this.#channel.close();
  }

  #post(message: FromThread): void {
    this.#channel.postMessage(message);
  }
}
