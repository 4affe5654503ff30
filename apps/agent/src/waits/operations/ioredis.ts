import type { FollowedLibrary } from '../loaded-libraries.js';
import { patchMethod, type HostFunction, type Undo } from '../patch-method.js';
import { endWhenSettled, type Settling } from '../settled.js';
import type { WaitRecorder } from '../wait-recorder.js';

/** What ioredis makes of a command; the same object when it is sent again. */
interface Command extends Settling {
  readonly name?: unknown;
}

interface Pipeline extends Settling {
  readonly length?: unknown;
}

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
 * Commands and pipelines of `ioredis`, by the names of the commands. Not by its tracing channels: they know no caller of what is queued
 * until the connection is ready, and with a listener ioredis keeps rejections that nobody handles from being seen.
 */
export function ioredisOperations(recorder: WaitRecorder): FollowedLibrary {
  const known = new WeakSet<object>();

  const aroundSendCommand = (sendCommand: HostFunction): HostFunction =>
    function ours(this: unknown, ...args) {
      const [command, stream] = args as [Command | undefined, { isPipeline?: unknown } | undefined];
      const name = commandName(command);
      if (command !== undefined && name !== undefined && stream?.isPipeline !== true && !known.has(command)) {
        known.add(command);
        const where = BLOCKING.has(name) ? 'transactions' : 'everywhere';
        endWhenSettled(recorder, command, recorder.begin('ioredis', name.toUpperCase(), ours, where));
      }
      return sendCommand.apply(this, args);
    };
  const aroundExec = (exec: HostFunction): HostFunction =>
    function ours(this: unknown, ...args) {
      const pipeline = this as Pipeline;
      if (typeof pipeline.length === 'number' && pipeline.length > 0 && !known.has(pipeline)) {
        known.add(pipeline);
        endWhenSettled(recorder, pipeline, recorder.begin('ioredis', 'pipeline', ours));
      }
      return exec.apply(this, args);
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
      return () => undos.forEach((undo) => undo?.());
    },
  };
}

/** The command's name, if it is one that is recorded: names are words, whatever else a host may send is not. */
function commandName(command: Command | undefined): string | undefined {
  if (typeof command?.name !== 'string' || !/^[a-z][a-z._]{0,29}$/i.test(command.name)) return undefined;
  const name = command.name.toLowerCase();
  return IGNORED.has(name) ? undefined : name;
}
