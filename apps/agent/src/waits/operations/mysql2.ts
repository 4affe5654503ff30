import { isThenable } from '../../safety/is-thenable.js';
import type { FollowedLibrary } from '../loaded-libraries.js';
import { ownerOf, PatchedOnce, type HostFunction, type Undo } from '../patch-method.js';
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
  const methods = new PatchedOnce(); // `mysql2/promise` and `promise()` of mysql2 share their classes
  const shapes = new StatementShapes('mysql');
  return {
    packageName: 'mysql2',
    follow: (exports) => {
      const promises = new FollowedPromises(recorder, methods, shapes);
      for (const name of CLASSES) promises.followClass((exports as Record<string, unknown>)[name]);
      for (const name of ['Pool', 'Connection']) promises.followCore((exports as Record<string, unknown>)[name]);
      return !promises.isFound ? undefined : () => promises.undos.forEach((undo) => undo());
    },
  };
}

/** The classes that one file of mysql2 exports, and that give promises. Without `mysql2/promise` each is loaded when it is used first. */
class FollowedPromises {
  readonly undos: Undo[] = [];
  readonly #recorder: WaitRecorder;
  readonly #methods: PatchedOnce;
  readonly #shapes: StatementShapes;
  /** It has such classes, though another file's may have been the same. */
  isFound = false;

  constructor(recorder: WaitRecorder, methods: PatchedOnce, shapes: StatementShapes) {
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

  /** A class with callbacks: what its `promise()` gives is followed. */
  followCore(constructor: unknown): void {
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
