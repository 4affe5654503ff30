import { createHash } from 'node:crypto';
import { encodedMappings, TraceMap } from '@jridgewell/trace-mapping';
import { HearthError } from '../../platform/http/hearth-error.js';
import { inflateBody, type ContentEncoding } from '../../platform/http/inflate.js';
import { faultOf, type WorkerFault } from '../../platform/worker-pool/worker-fault.js';
import { checkedMap } from './check-map.js';
import { completeNames } from './complete-names.js';
import { deflateMap, storedMapBytes } from './stored-map.js';

export interface ReadSourceMapTask {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly encoding: ContentEncoding;
  readonly maxBytes: number;
  /** Generated file, relative to the root. */
  readonly file: string;
}

/** A map as it is stored. */
export interface ReadSourceMap {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly sizeBytes: number;
  /** SHA-256 of what is stored, inflated. */
  readonly hash: string;
  readonly sources: number;
}

/** In a thread: a map takes some fifteen times its size while it is read, and a second of time. */
export function run({ body, encoding, maxBytes, file }: ReadSourceMapTask): ReadSourceMap | { fault: WorkerFault } {
  try {
    const map = checkedMap(inflated(body, encoding, maxBytes), file);
    const { mappings, names } = completeNames(map);
    const sources = map.sources.map((source, row) => (source === null ? null : map.resolvedSources[row]!));
    const encoded = encodedMappings(new TraceMap({ version: 3, sources, names, mappings }));
    const bytes = storedMapBytes({ version: 3, sources, names, mappings: encoded });
    // Names and a `sourceRoot` can make it larger than what was sent.
    if (bytes.length > maxBytes) throw tooLarge(maxBytes);
    const hash = createHash('sha256').update(bytes).digest('hex');
    return { data: deflateMap(bytes), sizeBytes: bytes.length, hash, sources: sources.length };
  } catch (error) {
    if (error instanceof HearthError) return { fault: faultOf(error) };
    // The library or we did not foresee it: it is in the map that somebody sent.
    return {
      fault: { code: 'SOURCE_MAP_INVALID', detail: `the map cannot be read: ${String(error).slice(0, 200)}`, status: 400 },
    };
  }
}

/** @throws {HearthError} `SOURCE_MAP_TOO_LARGE` 413, `GZIP_INVALID` */
function inflated(body: Uint8Array, encoding: ContentEncoding, maxBytes: number): Uint8Array {
  try {
    return inflateBody(body, encoding, maxBytes);
  } catch (error) {
    throw error instanceof HearthError && error.code === 'INFLATED_TOO_LARGE' ? tooLarge(maxBytes) : error;
  }
}

export function tooLarge(maxBytes: number): HearthError {
  return new HearthError(
    'SOURCE_MAP_TOO_LARGE',
    `a source map may have at most ${maxBytes} bytes, inflated (MAX_SOURCE_MAP_BYTES): build it without sourcesContent, or split the bundle`,
    { status: 413 },
  );
}
