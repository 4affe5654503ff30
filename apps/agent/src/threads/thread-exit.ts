import type { AtExit, ExitTarget } from '../safety/exit-hooks.js';
import type { Guard } from '../safety/guard.js';

/** What is left when a worker thread ends by itself, by `process.exit` or by an error; not when it is terminated. Signals are not its own. */
export class ThreadExit implements AtExit {
  readonly #guard: Guard;
  #target: ExitTarget | undefined;

  constructor(guard: Guard) {
    this.#guard = guard;
  }

  install(target: ExitTarget): void {
    if (this.#target === undefined) process.on('exit', this.#onExit);
    this.#target = target;
  }

  remove(target: ExitTarget): void {
    if (this.#target !== target) return;
    this.#target = undefined;
    process.off('exit', this.#onExit);
  }

  periodEnded(): void {}

  readonly #onExit = (): void => this.#guard.run(() => this.#target?.lastWords(), undefined);
}
