import { isThenable } from '../../safety/is-thenable.js';
import type { FollowedLibrary } from '../loaded-libraries.js';
import { ownerOf, PatchedOnce, type HostFunction, type Undo } from '../patch-method.js';
import { InnerCalls, callbackOf, withCallback } from '../inner-calls.js';
import { endWithPromise } from '../settled.js';
import { StatementShapes } from '../statement-shape.js';
import type { WaitRecorder } from '../wait-recorder.js';

/** Methods without a statement, and the operation each of them is. */
const PLAIN_METHODS = {
  getConnection: 'connect',
  beginTransaction: 'START TRANSACTION',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
} as const;
const CLASSES = ['PromisePool', 'PromiseConnection', 'PromisePoolConnection'] as const;

/**
 * Queries of `mysql2` through its promises, `mysql2/promise` and `promise()` of a pool or a connection, and with callbacks, as those of `pg`: filed where the
 * host called, and the callback runs there. Not by its tracing channels: they tell of a pool's query when its connection is there, in the context of whoever gave it back.
 */
export function mysql2Operations(recorder: WaitRecorder): FollowedLibrary {
  const methods = new PatchedOnce(); // `mysql2/promise` and `promise()` of mysql2 share their classes
  const shapes = new StatementShapes('mysql');
  const calls = new InnerCalls();
  return {
    packageName: 'mysql2',
    follow: (exports) => {
      const promises = new FollowedPromises(recorder, methods, shapes, calls);
      for (const name of CLASSES) promises.followClass((exports as Record<string, unknown>)[name]);
      for (const name of ['Pool', 'Connection']) promises.followCore((exports as Record<string, unknown>)[name]);
      return !promises.isFound ? undefined : () => promises.undos.forEach((undo) => undo());
    },
  };
}

/** The classes that one file of mysql2 exports, and what they give. Without `mysql2/promise` each is loaded when it is used first. */
class FollowedPromises {
  readonly undos: Undo[] = [];
  readonly #recorder: WaitRecorder;
  readonly #methods: PatchedOnce;
  readonly #shapes: StatementShapes;
  readonly #calls: InnerCalls;
  /** It has such classes, though another file's may have been the same. */
  isFound = false;

  constructor(recorder: WaitRecorder, methods: PatchedOnce, shapes: StatementShapes, calls: InnerCalls) {
    this.#calls = calls;
    this.#recorder = recorder;
    this.#methods = methods;
    this.#shapes = shapes;
  }

  followClass(constructor: unknown): void {
    const prototype = prototypeOf(constructor);
    if (prototype === undefined) return;
    this.isFound = true;
    for (const name of ['query', 'execute']) {
      this.#patch(
        prototype,
        name,
        this.#around((args) => shapeOf(args[0], this.#shapes)),
      );
    }
    for (const [name, operation] of Object.entries(PLAIN_METHODS))
      this.#patch(
        prototype,
        name,
        this.#around(() => operation),
      );
  }

  /** A class with callbacks; what its `promise()` gives is followed, too. */
  followCore(constructor: unknown): void {
    const prototype = prototypeOf(constructor);
    const names = { query: undefined, execute: undefined, ...PLAIN_METHODS };
    for (const [name, operation] of Object.entries(names)) {
      const owner = ownerOf(prototype, name);
      const around = this.#aroundCallback((args) => operation ?? shapeOf(args[0], this.#shapes));
      if (owner !== undefined) this.#patch(owner, name, around);
    }
    const owner = ownerOf(prototypeOf(constructor), 'promise');
    if (owner === undefined) return;
    this.isFound = true;
    const around = (promise: HostFunction): HostFunction => {
      const follow = (given: unknown) => this.#followGiven(given);
      return function ours(this: unknown, ...args) {
        return follow(promise.apply(this, args));
      };
    };
    this.#patch(owner, 'promise', around);
  }

  #patch(owner: object, name: string, around: (theirs: HostFunction) => HostFunction): void {
    const undo = Object.hasOwn(owner, name) ? this.#methods.patch(owner, name, around) : undefined;
    if (undo !== undefined) this.undos.push(undo);
  }

  #around(nameOf: (args: readonly unknown[]) => string): (method: HostFunction) => HostFunction {
    const recorder = this.#recorder;
    const calls = this.#calls;
    const follow = (given: unknown): unknown => this.#followGiven(given);
    return (method) =>
      function ours(this: unknown, ...args) {
        const wait = recorder.begin('mysql2', nameOf(args), ours);
        const run = (): unknown => calls.run(() => method.apply(this, args));
        if (wait === undefined) return run();
        const result = endWithPromise(recorder, wait, run());
        return method.name === 'getConnection' && isThenable(result) ? result.then(follow) : result;
      };
  }

  #aroundCallback(nameOf: (args: readonly unknown[]) => string): (method: HostFunction) => HostFunction {
    const recorder = this.#recorder;
    const calls = this.#calls;
    return (method) =>
      function ours(this: unknown, ...args) {
        const callback = callbackOf(args);
        if (callback === undefined) return method.apply(this, args); // a stream, or a command of its own
        if (calls.isInside) {
          const isConnecting = method.name === 'getConnection'; // what it then asks of the connection is its own; what the host does with a result is not
          return method.apply(this, isConnecting ? withCallback(args, calls.ofLibrary(callback)) : args);
        }
        const wait = recorder.begin('mysql2', nameOf(args), ours);
        if (wait === undefined) return calls.run(() => method.apply(this, args));
        return calls.run(() => method.apply(this, withCallback(args, recorder.callback(wait, callback))));
      };
  }

  /** Follows the classes of a connection or pool that mysql2 gives out. @returns It. */
  #followGiven(given: unknown): unknown {
    for (let one: unknown = given; isObject(one); one = Object.getPrototypeOf(one)) {
      if (Object.hasOwn(one, 'constructor') && Object.hasOwn(one, 'query')) this.followClass(one.constructor);
    }
    return given;
  }
}

function prototypeOf(constructor: unknown): object | undefined {
  const prototype: unknown = typeof constructor === 'function' ? constructor.prototype : undefined;
  return isObject(prototype) ? prototype : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function shapeOf(query: unknown, shapes: StatementShapes): string {
  const text = typeof query === 'string' ? query : (query as { sql?: unknown } | null | undefined)?.sql;
  return typeof text === 'string' ? shapes.shapeOf(text) : '(statement)';
}
