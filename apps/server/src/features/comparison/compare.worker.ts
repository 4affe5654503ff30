import { deflateSync } from 'node:zlib';
import { compare } from '@hearth/profile-diff';
import { buildComparisonInput, type ComparisonRows } from './build-comparison-input.js';

/** Runs in a pool thread. @returns The result as deflated JSON: the same rows give the same bytes. */
export function run(rows: ComparisonRows): Uint8Array {
  return deflateSync(JSON.stringify(compare(buildComparisonInput(rows))));
}
