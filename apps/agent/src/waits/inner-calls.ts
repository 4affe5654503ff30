import type { HostFunction } from './patch-method.js';

/** Tells calls of the host from those that a library makes of its own methods: a pool's query gets a connection, and queries it. */
export class InnerCalls {
  #depth = 0;

  /** Whether the call that runs is a library's own. */
  get isInside(): boolean {
    return this.#depth > 0;
  }

  /** Runs a method of the library: what it calls before it returns is its own. */
  run<Result>(method: () => Result): Result {
    this.#depth += 1;
    try {
      return method();
    } finally {
      this.#depth -= 1;
    }
  }

  /** A callback of the library's own, called later with a connection; with an error it calls the host's. */
  ofLibrary(callback: HostFunction): HostFunction {
    const run = (call: () => unknown): unknown => this.run(call);
    return function (this: unknown, ...args) {
      const isError = args[0] !== null && args[0] !== undefined;
      return isError ? callback.apply(this, args) : run(() => callback.apply(this, args));
    };
  }
}

/** The callback that a call was given, as its last argument. */
export function callbackOf(args: readonly unknown[]): HostFunction | undefined {
  const last = args.at(-1);
  return typeof last === 'function' ? (last as HostFunction) : undefined;
}

export function withCallback(args: readonly unknown[], callback: HostFunction): unknown[] {
  return [...args.slice(0, -1), callback];
}
