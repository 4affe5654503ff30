import type { FollowedLibrary } from '../loaded-libraries.js';
import { ownerOf, PatchedOnce, type HostFunction, type Undo } from '../patch-method.js';
import { StatementShapes } from '../statement-shape.js';
import { endWithPromise } from '../settled.js';
import type { WaitRecorder } from '../wait-recorder.js';

/**
 * Queries of `pg`, and the wait for a connection of its pool. A query with a callback is left alone: a pool calls them in the context of
 * whoever gave the connection back, which is another caller when the pool was full.
 */
export function pgOperations(recorder: WaitRecorder): FollowedLibrary {
  const shapes = new StatementShapes('postgres');
  const methods = new PatchedOnce(); // copies of pg may share one pg-pool

  const aroundQuery = (query: HostFunction): HostFunction =>
    function ours(this: unknown, ...args) {
      if (hasCallback(args)) return query.apply(this, args);
      const wait = recorder.begin('pg', shapeOf(args[0], shapes), ours);
      return wait === undefined ? query.apply(this, args) : endWithPromise(recorder, wait, query.apply(this, args));
    };
  const aroundConnect = (connect: HostFunction): HostFunction =>
    function ours(this: unknown, ...args) {
      if (hasCallback(args)) return connect.apply(this, args);
      const wait = recorder.begin('pg', 'connect', ours);
      return wait === undefined ? connect.apply(this, args) : endWithPromise(recorder, wait, connect.apply(this, args));
    };

  return {
    packageName: 'pg',
    follow: (exports) => {
      const { Client, Pool } = exports as { Client?: unknown; Pool?: unknown };
      if (typeof Client !== 'function' || typeof Pool !== 'function') return undefined;
      const undos: (Undo | undefined)[] = [];
      for (const prototype of [Client.prototype, Pool.prototype] as unknown[]) {
        // A pool's class is made for each copy of pg; what it inherits is in pg-pool.
        const [query, connect] = [ownerOf(prototype, 'query'), ownerOf(prototype, 'connect')];
        if (query !== undefined) undos.push(methods.patch(query, 'query', aroundQuery));
        if (connect !== undefined) undos.push(methods.patch(connect, 'connect', aroundConnect));
      }
      return () => undos.forEach((undo) => undo?.());
    },
  };
}

function hasCallback(args: readonly unknown[]): boolean {
  if (typeof args.at(-1) === 'function') return true;
  const query = args[0] as { callback?: unknown; submit?: unknown } | null | undefined;
  return (
    typeof query === 'object' && query !== null && (typeof query.callback === 'function' || typeof query.submit === 'function')
  );
}

function shapeOf(query: unknown, shapes: StatementShapes): string {
  const text = typeof query === 'string' ? query : (query as { text?: unknown } | null | undefined)?.text;
  return typeof text === 'string' ? shapes.shapeOf(text) : '(statement)';
}
