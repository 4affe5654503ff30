import type { FollowedLibrary } from '../loaded-libraries.js';
import { ownerOf, PatchedOnce, type HostFunction, type Undo } from '../patch-method.js';
import { StatementShapes } from '../statement-shape.js';
import { endWithPromise } from '../settled.js';
import { InnerCalls, callbackOf, withCallback } from '../inner-calls.js';
import type { WaitRecorder } from '../wait-recorder.js';

/**
 * Queries of `pg`, and the wait for a connection of its pool, as promises and with callbacks. A pool calls callbacks in the context of whoever gave the
 * connection back, which is another caller when it was full: so each is filed where the host called, its callback runs there, and what a pool asks of its
 * clients for a query of its own is no query of the host.
 */
export function pgOperations(recorder: WaitRecorder): FollowedLibrary {
  const shapes = new StatementShapes('postgres');
  const methods = new PatchedOnce(); // copies of pg may share one pg-pool

  const calls = new InnerCalls();

  const aroundQuery = (query: HostFunction): HostFunction =>
    function ours(this: unknown, ...args) {
      const run = (given: readonly unknown[]): unknown => calls.run(() => query.apply(this, [...given]));
      if (calls.isInside || settlesItself(args[0])) return run(args);
      const wait = recorder.begin('pg', shapeOf(args[0], shapes), ours);
      const callback = callbackOf(args);
      if (wait === undefined) return run(args);
      return callback === undefined
        ? endWithPromise(recorder, wait, run(args))
        : run(withCallback(args, recorder.callback(wait, callback)));
    };
  const aroundConnect = (connect: HostFunction): HostFunction =>
    function ours(this: unknown, ...args) {
      const callback = callbackOf(args);
      if (calls.isInside) return connect.apply(this, callback === undefined ? args : [calls.ofLibrary(callback)]);
      const wait = recorder.begin('pg', 'connect', ours);
      if (wait === undefined) return connect.apply(this, args);
      return callback === undefined
        ? endWithPromise(recorder, wait, connect.apply(this, args))
        : connect.apply(this, [recorder.callback(wait, callback)]);
    };
  /** A client's with a callback is the pool's own, or that of somebody who has no pool. */
  const aroundClientConnect = (connect: HostFunction): HostFunction => {
    const around = aroundConnect(connect);
    return function ours(this: unknown, ...args) {
      return callbackOf(args) === undefined ? around.apply(this, args) : connect.apply(this, args);
    };
  };

  return {
    packageName: 'pg',
    follow: (exports) => {
      const { Client, Pool } = exports as { Client?: unknown; Pool?: unknown };
      if (typeof Client !== 'function' || typeof Pool !== 'function') return undefined;
      const undos: (Undo | undefined)[] = [];
      for (const [prototype, around] of [
        [Client.prototype, aroundClientConnect],
        [Pool.prototype, aroundConnect],
      ] as [unknown, typeof aroundConnect][]) {
        // A pool's class is made for each copy of pg; what it inherits is in pg-pool.
        const [query, connect] = [ownerOf(prototype, 'query'), ownerOf(prototype, 'connect')];
        if (query !== undefined) undos.push(methods.patch(query, 'query', aroundQuery));
        if (connect !== undefined) undos.push(methods.patch(connect, 'connect', around));
      }
      return () => undos.forEach((undo) => undo?.());
    },
  };
}

/** Cursors and the like, and a query that has its callback in itself; a function in its place is an error of the host. */
function settlesItself(query: unknown): boolean {
  if (typeof query !== 'object' || query === null) return typeof query === 'function';
  const { callback, submit } = query as { callback?: unknown; submit?: unknown };
  return typeof callback === 'function' || typeof submit === 'function';
}

function shapeOf(query: unknown, shapes: StatementShapes): string {
  const text = typeof query === 'string' ? query : (query as { text?: unknown } | null | undefined)?.text;
  return typeof text === 'string' ? shapes.shapeOf(text) : '(statement)';
}
