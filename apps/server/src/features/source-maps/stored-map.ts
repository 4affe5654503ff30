import { deflateRawSync, inflateRawSync } from 'node:zlib';

/**
 * What is kept of a source map: what names functions, and nothing of the sources themselves. As JSON, deflated.
 *
 * Sources are relative to the root that its generated file is relative to; `null` for one without a name.
 */
export interface StoredMap {
  readonly version: 3;
  readonly sources: (string | null)[];
  readonly names: string[];
  /** Base 64 VLQ, without sections. */
  readonly mappings: string;
}

export function storedMapBytes(map: StoredMap): Buffer {
  return Buffer.from(JSON.stringify(map));
}

export function deflateMap(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(deflateRawSync(bytes));
}

/** @param sizeBytes - As it was deflated: no more is inflated. */
export function inflateMap(data: Uint8Array, sizeBytes: number): StoredMap {
  return JSON.parse(inflateRawSync(data, { maxOutputLength: Math.max(1, sizeBytes) }).toString()) as StoredMap;
}
