const SIGNAL = 'SIGUSR2';

/**
 * Hears a signal beside the host. A listener keeps the process alive, and libraries count listeners to know whether somebody else decides: so ours is there only
 * where the host has never had one, and then for good no more. Beside the host's we only watch `process.emit`. One for the life of the process.
 */
export class SignalTrigger {
  #came: (() => void) | undefined;
  /** Both `undefined` while `process.emit` is not watched. */
  #hostEmit: typeof process.emit | undefined;
  #watchedEmit: typeof process.emit | undefined;

  /** @param came - Called with each signal. Never throws. */
  install(came: () => void): void {
    this.#came = came;
    this.#watchEmit(); // first: Node binds it when the first listener of a signal comes
    if (process.listenerCount(SIGNAL) > 0) return;
    process.on(SIGNAL, this.#onLoneSignal);
    process.on('newListener', this.#onNewListener);
  }

  remove(): void {
    if (this.#came === undefined) return;
    this.#came = undefined;
    process.off('newListener', this.#onNewListener);
    process.off(SIGNAL, this.#onLoneSignal);
    if (process.emit !== this.#watchedEmit || this.#hostEmit === undefined) return; // somebody wrapped ours: it stays, and passes on
    process.emit = this.#hostEmit;
    this.#hostEmit = this.#watchedEmit = undefined;
  }

  #watchEmit(): void {
    if (this.#hostEmit !== undefined) return;
    // oxlint-disable-next-line typescript/unbound-method -- called with `process` as `this` below
    const hostEmit = process.emit;
    const watched = (event: string, ...rest: unknown[]): boolean => {
      if (event === SIGNAL) this.#came?.();
      return Reflect.apply(hostEmit, process, [event, ...rest]) as boolean;
    };
    this.#hostEmit = hostEmit;
    this.#watchedEmit = watched as typeof process.emit;
    process.emit = this.#watchedEmit;
  }

  readonly #onNewListener = (event: string | symbol, listener: unknown): void => {
    if (event !== SIGNAL || listener === this.#onLoneSignal) return;
    process.off('newListener', this.#onNewListener);
    // Not now: the host's is not there yet, and with its last listener Node would stop listening to the signal.
    process.nextTick(() => process.off(SIGNAL, this.#onLoneSignal));
  };

  /** What the signal does is done where it is emitted. */
  readonly #onLoneSignal = (): void => {};
}
