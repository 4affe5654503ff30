import timers from 'node:timers';
import type { Guard } from './guard.js';

/** How long the last flush may hold the process. */
const LAST_FLUSH_MS = 1_000;
/** If the process is still here after its SIGTERM (as pid 1 of a container is), the agent listens again. */
const STILL_ALIVE_MS = 500;

const SIGNAL = 'SIGTERM';

/** Who is asked at the end of the process. */
export interface ExitTarget {
  /** Sends what there is, and holds the process for at most this long. */
  flush(timeoutMs: number, which: 'more-to-come' | 'last'): Promise<unknown>;
  /** Synchronous, on `exit`. */
  lastWords(): void;
}

/** What notices the end of a process, or of a thread. */
export interface AtExit {
  /** From here on it is `target` who is asked, and nobody else. */
  install(target: ExitTarget): void;
  /** Nothing where another target has been installed meanwhile. */
  remove(target: ExitTarget): void;
  /** It works on: should it end later, there is something to flush again. */
  periodEnded(): void;
}

/**
 * One flush before the process ends, by itself or by SIGTERM, without changing how it ends.
 *
 * A listener for SIGTERM takes the default (to die) away, and others count listeners to know whether somebody else decides. So ours is
 * there only while there is no other, and then dies as the host would have; beside a listener of the host we only watch `process.emit`.
 * There is one of it in a process: two that are removed in another order than they came would leave `process.emit` watched for ever.
 */
export class ExitHooks implements AtExit {
  readonly #guard: Guard;
  #target: ExitTarget | undefined;
  #isDying = false;
  #hasFlushedAtExit = false;
  #isFlushingAtExit = false;
  /** Both `undefined` while `process.emit` is not watched. */
  #hostEmit: typeof process.emit | undefined;
  #watchedEmit: typeof process.emit | undefined;

  constructor(guard: Guard) {
    this.#guard = guard;
  }

  install(target: ExitTarget): void {
    const isInstalled = this.#target !== undefined;
    this.#target = target;
    this.#hasFlushedAtExit = false;
    if (isInstalled) return;
    process.on('beforeExit', this.#onBeforeExit);
    process.on('exit', this.#onExit);
    this.#watchEmit();
    process.on('newListener', this.#onNewListener);
    process.on('removeListener', this.#onRemoveListener);
    if (process.listenerCount(SIGNAL) === 0) process.on(SIGNAL, this.#onLoneSignal);
  }

  remove(target: ExitTarget): void {
    if (this.#target !== target) return;
    this.#target = undefined;
    process.off('newListener', this.#onNewListener);
    process.off('removeListener', this.#onRemoveListener);
    process.off(SIGNAL, this.#onLoneSignal);
    process.off('beforeExit', this.#onBeforeExit);
    process.off('exit', this.#onExit);
    if (this.#hostEmit === undefined || process.emit !== this.#watchedEmit) return; // somebody wrapped ours: it stays, and passes on
    process.emit = this.#hostEmit;
    this.#hostEmit = this.#watchedEmit = undefined;
  }

  periodEnded(): void {
    if (!this.#isFlushingAtExit) this.#hasFlushedAtExit = false; // else it is our own flush that keeps the process
  }

  /** Node binds `process.emit` when the first listener of a signal comes: so this must be in place before the host's. */
  #watchEmit(): void {
    if (this.#hostEmit !== undefined) return;
    // oxlint-disable-next-line typescript/unbound-method -- called with `process` as `this` below
    const hostEmit = process.emit;
    // A new one each time, with its own way on: Node and the host may go on calling one that was taken away.
    const watched = (event: string, ...rest: unknown[]): boolean => {
      if (event === SIGNAL && this.#target !== undefined && this.#hasHostListener()) {
        this.#guard.run(() => void this.#target?.flush(LAST_FLUSH_MS, 'more-to-come'), undefined); // the host may finish its requests first
      }
      return Reflect.apply(hostEmit, process, [event, ...rest]) as boolean;
    };
    this.#hostEmit = hostEmit;
    this.#watchedEmit = watched as typeof process.emit;
    process.emit = this.#watchedEmit;
  }

  #hasHostListener(): boolean {
    return process.listeners(SIGNAL).some((listener) => listener !== this.#onLoneSignal);
  }

  readonly #onBeforeExit = (): void => {
    if (this.#hasFlushedAtExit) return; // our own flush kept the loop alive, and it has ended again
    this.#hasFlushedAtExit = this.#isFlushingAtExit = true;
    const ended = (): void => void (this.#isFlushingAtExit = false);
    const flushed = this.#guard.run(() => this.#target?.flush(LAST_FLUSH_MS, 'last'), undefined);
    void Promise.resolve(flushed).then(ended, ended);
  };

  readonly #onExit = (): void => this.#guard.run(() => this.#target?.lastWords(), undefined);

  readonly #onNewListener = (event: string | symbol, listener: unknown): void => {
    if (event !== SIGNAL || listener === this.#onLoneSignal) return;
    // Not now: the host's is not there yet, and with its last listener Node would stop listening to the signal.
    process.nextTick(() => {
      if (this.#hasHostListener()) process.off(SIGNAL, this.#onLoneSignal);
    });
  };

  readonly #onRemoveListener = (event: string | symbol, listener: unknown): void => {
    if (event === SIGNAL && listener !== this.#onLoneSignal && !this.#isDying && process.listenerCount(SIGNAL) === 0) {
      process.on(SIGNAL, this.#onLoneSignal);
    }
  };

  readonly #onLoneSignal = (): void => {
    if (this.#isDying) return this.#die(); // a second signal does not wait
    this.#isDying = true;
    const flushed = this.#guard.run(() => this.#target?.flush(LAST_FLUSH_MS, 'last'), undefined);
    void Promise.resolve(flushed).then(
      () => this.#die(),
      () => this.#die(),
    );
  };

  #die(): void {
    process.off(SIGNAL, this.#onLoneSignal);
    process.kill(process.pid, SIGNAL);
    timers
      .setTimeout(() => {
        this.#isDying = false;
        if (this.#target !== undefined && process.listenerCount(SIGNAL) === 0) process.on(SIGNAL, this.#onLoneSignal);
      }, STILL_ALIVE_MS)
      .unref();
  }
}
