import { TraceMap } from '@jridgewell/trace-mapping';
import { originalFunction, type GeneratedFunction, type OriginalFunction } from './original-function.js';
import { inflateMap } from './stored-map.js';

export interface FindFunctionsTask {
  /** Hash of the map. */
  readonly hash: string;
  /** As it is stored; absent: the thread may have it still. */
  readonly stored?: { readonly data: Uint8Array; readonly sizeBytes: number };
  readonly functions: readonly GeneratedFunction[];
}

/** In the order of the task; `undefined` for one that the map does not know. */
export type FoundFunctions = readonly (OriginalFunction | undefined)[];

/** Of maps that the thread keeps, as they are inflated: in memory they take some fifteen times as much. They go with the thread, when nobody asks for a while. */
const MAX_KEPT_BYTES = 24 * 2 ** 20;

const kept = new Map<string, { readonly map: TraceMap; readonly sizeBytes: number }>();

export function run({ hash, stored, functions }: FindFunctionsTask): FoundFunctions | 'map-not-here' {
  const map = keptMap(hash) ?? (stored && keepMap(hash, stored));
  return map === undefined ? 'map-not-here' : functions.map((one) => originalFunction(map, one));
}

function keptMap(hash: string): TraceMap | undefined {
  const found = kept.get(hash);
  if (found === undefined) return undefined;
  kept.delete(hash);
  kept.set(hash, found); // the last used last
  return found.map;
}

function keepMap(hash: string, { data, sizeBytes }: NonNullable<FindFunctionsTask['stored']>): TraceMap {
  let keptBytes = sizeBytes;
  for (const { sizeBytes: other } of kept.values()) keptBytes += other;
  for (const [other, { sizeBytes: otherBytes }] of kept) {
    if (keptBytes <= MAX_KEPT_BYTES) break;
    kept.delete(other);
    keptBytes -= otherBytes;
  }
  const map = new TraceMap(inflateMap(data, sizeBytes));
  kept.set(hash, { map, sizeBytes });
  return map;
}
