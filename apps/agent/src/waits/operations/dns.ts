import dns from 'node:dns';
import { patchMethod, type HostFunction, type Undo } from '../patch-method.js';
import { endWithPromise } from '../settled.js';
import type { WaitRecorder } from '../wait-recorder.js';

const FUNCTIONS = [
  'lookup',
  'lookupService',
  'resolve',
  'resolve4',
  'resolve6',
  'resolveAny',
  'resolveCaa',
  'resolveCname',
  'resolveMx',
  'resolveNaptr',
  'resolveNs',
  'resolvePtr',
  'resolveSoa',
  'resolveSrv',
  'resolveTxt',
  'reverse',
] as const;

/** The callback of Node's own lookups, for a connection: they are part of the operation that connects. */
const OF_NET = 'emitLookup';

/** Lookups that the host makes itself, `dns` and `dns/promises`, without the names it asks for. */
export function followDns(recorder: WaitRecorder): Undo {
  const undos: (Undo | undefined)[] = [];
  for (const name of FUNCTIONS) {
    const withCallback = (theirs: HostFunction): HostFunction =>
      function ours(this: unknown, ...args) {
        const callback = args.at(-1);
        if (typeof callback !== 'function' || callback.name === OF_NET) return theirs.apply(this, args);
        const wait = recorder.begin('dns', name, ours);
        if (wait === undefined) return theirs.apply(this, args);
        const ended = function (this: unknown, ...results: unknown[]): unknown {
          recorder.end(wait);
          return Reflect.apply(callback, this, results);
        };
        return theirs.apply(this, [...args.slice(0, -1), ended]);
      };
    const withPromise = (theirs: HostFunction): HostFunction =>
      function ours(this: unknown, ...args) {
        const wait = recorder.begin('dns', name, ours);
        return wait === undefined ? theirs.apply(this, args) : endWithPromise(recorder, wait, theirs.apply(this, args));
      };
    undos.push(patchMethod(dns, name, withCallback), patchMethod(dns.promises, name, withPromise));
  }
  return () => undos.forEach((undo) => undo?.());
}
