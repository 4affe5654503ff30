import { exportsBeside, type FollowedLibrary } from '../loaded-libraries.js';
import { patchMethod, type HostFunction, type Undo } from '../patch-method.js';
import { endWhenSettled, endWithPromise, type Settling } from '../settled.js';
import type { WaitRecorder } from '../wait-recorder.js';

/** What ioredis makes of a command; the same object when it is sent again. */
interface Command extends Settling {
  readonly name?: unknown;
}

interface Pipeline extends Settling {
  readonly length?: unknown;
}

/** Of the file that makes one pipeline of the commands of several callers, with `enableAutoPipelining`. */
interface AutoPipelining {
  /** What its pipelines have. */
  readonly kExec?: unknown;
}
const AUTO_PIPELINING_FILE = 'autoPipelining.js';

/** Commands that wait for something to come: outside of a transaction that is a worker with nothing to do. */
const BLOCKING = new Set([
  'blpop',
  'brpop',
  'brpoplpush',
  'blmove',
  'blmpop',
  'bzpopmin',
  'bzpopmax',
  'bzmpop',
  'xread',
  'xreadgroup',
  'wait',
]);
/** Connections follow it by themselves; it has no answer of its own. */
const IGNORED = new Set(['subscribe', 'psubscribe', 'ssubscribe', 'unsubscribe', 'punsubscribe', 'sunsubscribe', 'monitor']);

/**
 * Commands and pipelines of `ioredis`, by the names of the commands; of pipelines that ioredis makes by itself each command, for it has a caller of its own. Not by its tracing channels: they know no caller of what is queued
 * until the connection is ready, and with a listener ioredis keeps rejections that nobody handles from being seen.
 */
export function ioredisOperations(recorder: WaitRecorder): FollowedLibrary {
  const known = new WeakSet<object>();
  /** The keys of what each copy makes by itself. */
  const autoKeys = new Set<symbol>();

  const aroundSendCommand = (sendCommand: HostFunction): HostFunction =>
    function ours(this: unknown, ...args) {
      const [command, stream] = args as [Command | undefined, { isPipeline?: unknown } | undefined];
      const name = commandName(command);
      if (command !== undefined && name !== undefined && stream?.isPipeline !== true && !known.has(command)) {
        known.add(command);
        endWhenSettled(recorder, command, recorder.begin('ioredis', name.toUpperCase(), ours, placeOf(name)));
      }
      return sendCommand.apply(this, args);
    };
  const aroundExec = (exec: HostFunction): HostFunction =>
    function ours(this: unknown, ...args) {
      const pipeline = this as Pipeline;
      if (typeof pipeline.length === 'number' && pipeline.length > 0 && !known.has(pipeline)) {
        known.add(pipeline);
        if (!isAuto(pipeline)) endWhenSettled(recorder, pipeline, recorder.begin('ioredis', 'pipeline', ours));
      }
      return exec.apply(this, args);
    };
  const isAuto = (pipeline: Pipeline): boolean => {
    for (const key of autoKeys) if (Object.hasOwn(pipeline, key)) return true;
    return false;
  };
  const aroundExecute = (execute: HostFunction): HostFunction =>
    function ours(this: unknown, ...args) {
      const [client, , command, , callback] = args;
      const isScript = Object.hasOwn((client as { scriptsSet?: object }).scriptsSet ?? {}, command as string);
      const name = commandName({ name: isScript ? 'evalsha' : command });
      const wait = name === undefined ? undefined : recorder.begin('ioredis', name.toUpperCase(), ours, placeOf(name));
      if (wait === undefined) return execute.apply(this, args);
      // With a callback nobody may have the promise, and what is made of a rejected one would be unhandled.
      return typeof callback === 'function'
        ? execute.apply(this, [...args.slice(0, 4), recorder.callback(wait, callback as HostFunction)])
        : endWithPromise(recorder, wait, execute.apply(this, args));
    };

  return {
    packageName: 'ioredis',
    follow: (exports) => {
      const { prototype, Cluster, Pipeline } = exports as Record<
        'prototype' | 'Cluster' | 'Pipeline',
        { prototype?: object } & object
      >;
      if (typeof Cluster !== 'function' || !Object.hasOwn(prototype ?? {}, 'sendCommand')) return undefined;
      const undos: (Undo | undefined)[] = [];
      for (const owner of [prototype, (Cluster as { prototype?: object }).prototype]) {
        if (owner !== undefined) undos.push(patchMethod(owner, 'sendCommand', aroundSendCommand));
      }
      const pipelines = (Pipeline as { prototype?: object } | undefined)?.prototype;
      if (pipelines !== undefined) undos.push(patchMethod(pipelines, 'exec', aroundExec));
      const auto = exportsBeside(exports, AUTO_PIPELINING_FILE) as AutoPipelining | undefined;
      if (typeof auto?.kExec === 'symbol') {
        const undo = patchMethod(auto, 'executeWithAutoPipelining', aroundExecute);
        if (undo !== undefined) autoKeys.add(auto.kExec);
        undos.push(undo);
      }
      return () => undos.forEach((undo) => undo?.());
    },
  };
}

function placeOf(name: string): 'everywhere' | 'transactions' {
  return BLOCKING.has(name) ? 'transactions' : 'everywhere';
}

/** The command's name, if it is one that is recorded: names are words, whatever else a host may send is not. */
function commandName(command: Command | undefined): string | undefined {
  if (typeof command?.name !== 'string' || !/^[a-z][a-z._]{0,29}$/i.test(command.name)) return undefined;
  const name = command.name.toLowerCase();
  return IGNORED.has(name) ? undefined : name;
}
