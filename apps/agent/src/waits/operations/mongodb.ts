import { join } from 'node:path';
import { exportsBeside, type FollowedLibrary } from '../loaded-libraries.js';
import { PatchedOnce, type HostFunction } from '../patch-method.js';
import { endWithPromise } from '../settled.js';
import type { Wait } from '../wait.js';
import type { WaitRecorder } from '../wait-recorder.js';

/** What the driver makes of a call: one command, also where it is tried again or has to connect first. */
interface Operation {
  /** Older versions say it by the name of the class. */
  readonly commandName?: unknown;
  /** What it is about, each kind in a way of its own; the collection of `ns` is `$cmd` for many. */
  readonly ns?: { readonly collection?: unknown };
  readonly collection?: { readonly collectionName?: unknown };
  readonly collectionName?: unknown;
  readonly target?: unknown;
  readonly options?: { readonly awaitData?: unknown; readonly tailable?: unknown; readonly maxAwaitTimeMS?: unknown };
  /** Of an aggregation. */
  readonly pipeline?: readonly ({ readonly $changeStream?: unknown } | undefined)[];
  /** What somebody runs by hand. */
  readonly command?: unknown;
  readonly session?: unknown;
}

/** Where every operation of the driver begins, those of cursors as well: it is called where the host waits. */
const ENTRY = 'executeOperation';
const ENTRY_FILE = join('operations', 'execute_operation.js');

/**
 * Operations of `mongodb`, the official driver, by command and collection: `mongodb find orders`. Promises only: the driver has had no callbacks since version 5,
 * and a call with one is not recorded.
 */
export function mongodbOperations(recorder: WaitRecorder): FollowedLibrary {
  const methods = new PatchedOnce();
  /** Of change streams: what they wait for is something to come. */
  const watching = new WeakSet<object>();

  /** `transactions`: elsewhere it is a worker with nothing to do. */
  function placeOf(name: string, { options, pipeline, session }: Operation): 'everywhere' | 'transactions' {
    const isWatching = pipeline?.[0]?.$changeStream !== undefined;
    if (isWatching && typeof session === 'object' && session !== null) watching.add(session);
    if (name !== 'getMore') return 'everywhere';
    const waits = [options?.awaitData, options?.tailable].includes(true) || options?.maxAwaitTimeMS !== undefined;
    return waits || watching.has(session as object) ? 'transactions' : 'everywhere';
  }

  const around = (execute: HostFunction): HostFunction =>
    function ours(this: unknown, ...args) {
      const wait = typeof args.at(-1) === 'function' ? undefined : begin(args[1], ours);
      const result = execute.apply(this, args);
      return wait === undefined ? result : endWithPromise(recorder, wait, result);
    };

  function begin(operation: unknown, ours: HostFunction): Wait | undefined {
    try {
      const name = commandOf(operation as Operation);
      if (name === undefined) return undefined;
      const collection = collectionOf(operation as Operation);
      const detail = collection === undefined ? name : `${name} ${collection}`;
      return recorder.begin('mongodb', detail, ours, placeOf(name, operation as Operation));
    } catch {
      return undefined; // none of its operations, or made of what the host has made to throw
    }
  }

  return {
    packageName: 'mongodb',
    follow: (exports) => {
      const entry = entryOf(exports);
      return entry === undefined ? undefined : (methods.patch(entry, ENTRY, around) ?? (() => {}));
    },
  };
}

/** The exports of the file with the entry, which the driver calls by them; `exports` are those, or the driver's own. */
function entryOf(exports: unknown): object | undefined {
  const { [ENTRY]: execute, MongoClient } = exports as Record<string, unknown>;
  if (typeof execute === 'function') return exports as object;
  return typeof MongoClient === 'function' ? exportsBeside(exports, ENTRY_FILE) : undefined;
}

/** `undefined` for what is no operation. */
function commandOf({ commandName, constructor, command }: Operation & { readonly constructor?: unknown }): string | undefined {
  let name = typeof commandName === 'string' ? commandName : undefined;
  if (name === undefined) {
    const [, ofClass] = /^([A-Z]\w*)Operation$/.exec(typeof constructor === 'function' ? constructor.name : '') ?? [];
    name = ofClass && ofClass[0]!.toLowerCase() + ofClass.slice(1);
  }
  if (name === 'runCommand' && typeof command === 'object' && command !== null) name = Object.keys(command)[0];
  return name !== undefined && /^[a-zA-Z]{1,40}$/.test(name) ? name : undefined;
}

/** Characters of the name. */
const MAX_COLLECTION = 100;

/** What looks made in it, as an id or a day, is `*`; `undefined` where it is about none. */
function collectionOf({ ns, collection, collectionName, target }: Operation): string | undefined {
  const name = [collection?.collectionName, collectionName, target, ns?.collection].find((one) => typeof one === 'string');
  if (typeof name !== 'string' || name === '' || name.startsWith('$')) return undefined;
  return name
    .slice(0, MAX_COLLECTION)
    .replaceAll(/[\da-f]{8}-[\da-f-]{8,}|(?=[a-f]*\d)[\da-f]{16,}|\d{4,}/gi, '*')
    .replaceAll(/[^\w.*-]/g, '?');
}
