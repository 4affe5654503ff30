import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeBatches } from './decode-batches.js';
import { encodeBatch } from './encode-batch.js';
import { version1 } from './testing/version-1.js';

const fixture = (name: string): Uint8Array => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));

describe('batches of released versions', () => {
  it('reads version 1, which has no columns of functions', () => {
    expect(decodeBatches(fixture('batch-1.bin'))).toEqual([version1]);
  });
  it('reads version 2, which has no exemplars', () => {
    const column = Uint32Array.of(1, 16);
    expect(decodeBatches(fixture('batch-2.bin'))).toEqual([{ ...version1, functions: { ...version1.functions, column } }]);
  });
  it('writes no columns where none is known, and reads it so', () => {
    const [read] = decodeBatches(encodeBatch(version1));
    expect(read).toEqual(version1);
    expect(read!.functions.column).toBeUndefined();
  });
});
