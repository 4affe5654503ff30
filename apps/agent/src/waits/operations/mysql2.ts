import { isThenable } from '../../safety/is-thenable.js';
import type { FollowedLibrary } from '../loaded-libraries.js';
import { ownerOf, patchMethod, type HostFunction, type Undo } from '../patch-method.js';
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
 * Queries of `mysql2` through its promises: `mysql2/promise`, and `promise()` of a pool or a connection. Calls with callbacks are left alone as those
 * of `pg` are. Not by its tracing channels: they tell of a pool's query when its connection is there, in the context of whoever gave it back.
 */
export function mysql2Operations(recorder: WaitRecorder): FollowedLibrary {
  return {
    packageName: 'mysql2',
    follow: (exports) => {
      const promises = new FollowedPromises(recorder);
      for (const name of CLASSES) promises.followClass((exports as Record<string, unknown>)[name]);
      for (const name of ['Pool', 'Connection']) promises.followCore((exports as Record<string, unknown>)[name]);
      return promises.undos.length === 0 ? undefined : () => promises.undos.forEach((undo) => undo());
    },
  };
}

/** The classes of one copy of mysql2 that give promises. Without `mysql2/promise` each is loaded when it is used first. */
class FollowedPromises {
  readonly undos: Undo[] = [];
  readonly #recorder: WaitRecorder;
  readonly #shapes = new StatementShapes('mysql');
  readonly #followed = new WeakSet<object>();

  constructor(recorder: WaitRecorder) {
    this.#recorder = recorder;
  }

  followClass(constructor: unknown): void {
    const prototype = prototypeOf(constructor);
    if (prototype === undefined || this.#followed.has(prototype)) return;
    this.#followed.add(prototype);
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

  /** A class with callbacks: what its `promise()` gives is followed. */
  followCore(constructor: unknown): void {
    const owner = ownerOf(prototypeOf(constructor), 'promise');
    if (owner === undefined) return;
    const around = (promise: HostFunction): HostFunction => {
      const follow = (given: unknown) => this.#followGiven(given);
      return function ours(this: unknown, ...args) {
        return follow(promise.apply(this, args));
      };
    };
    this.#patch(owner, 'promise', around);
  }

  #patch(owner: object, name: string, around: (theirs: HostFunction) => HostFunction): void {
    const undo = Object.hasOwn(owner, name) ? patchMethod(owner, name, around) : undefined;
    if (undo !== undefined) this.undos.push(undo);
  }

  #around(nameOf: (args: readonly unknown[]) => string): (method: HostFunction) => HostFunction {
    const recorder = this.#recorder;
    const follow = (given: unknown): unknown => this.#followGiven(given);
    return (method) =>
      function ours(this: unknown, ...args) {
        const wait = recorder.begin('mysql2', nameOf(args), ours);
        if (wait === undefined) return method.apply(this, args);
        const result = endWithPromise(recorder, wait, method.apply(this, args));
        return method.name === 'getConnection' && isThenable(result) ? result.then(follow) : result;
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
