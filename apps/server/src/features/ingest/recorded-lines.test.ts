import { PROFILE_TYPE_IDS } from '@hearth/profile-model';
import { gzipSync } from 'node:zlib';
import { encodeBatch, type Batch } from '@hearth/wire-format';
import { describe, expect, it } from 'vitest';
import { lineBatch } from '../../../../../test/support/line-batch.js';
import { run as decodeBatches } from './decode-batches.worker.js';
import { MAX_LINE_VISITS, recordedLines } from './recorded-lines.js';

const tooLarge = expect.objectContaining({ code: 'LINES_TOO_LARGE', status: 400 }) as Error;

/** A stack of one frame for each file name, each on a line of its own, and `profiles` with a sample in each. */
function recording(files: readonly string[], profiles = 1) {
  const length = files.length;
  const functions = { length, name: files.map(() => 'f'), package: files.map(() => ''), file: files };
  const stacks = { length, parent: new Int32Array(length).fill(-1), functionRow: Uint32Array.from(files.keys()) };
  const profile = {
    typeId: PROFILE_TYPE_IDS.cpu,
    sampleStack: Int32Array.from(files.keys()),
    sampleLabelSet: new Uint32Array(length),
    sampleValue: new Float64Array(length).fill(1),
    sampleCount: new Float64Array(length).fill(1),
  };
  return [{ functions, stacks }, Array.from({ length: profiles }, () => profile), Uint32Array.from(files.keys())] as const;
}
const oneFile = (lines: number) => Array.from({ length: lines }, () => 'a.ts');

describe('recordedLines', () => {
  it('goes through so many functions and stacks, over all profiles', () => {
    expect(recordedLines(...recording(oneFile(10), 3), 60).costs).toHaveLength(3);
    expect(() => recordedLines(...recording(oneFile(10), 3), 59)).toThrowError(tooLarge);
    expect(() => recordedLines(...recording(oneFile(MAX_LINE_VISITS / 2 + 1)))).toThrowError(tooLarge);
  });

  it('keeps 250,000 lines, and no more', () => {
    const { costs, bytes } = recordedLines(...recording(oneFile(125_000), 2), 2_000_000);
    expect(costs.map(({ line }) => line.length)).toEqual([125_000, 125_000]);
    expect(bytes).toBeGreaterThan(250_000 * 30);
    expect(() => recordedLines(...recording(oneFile(125_001), 2), 2_000_000)).toThrowError(tooLarge);
  });

  it('keeps 8,000,000 characters of file names, of files that have lines', () => {
    const files = (count: number) => Array.from({ length: count }, (_, row) => `${row}`.padEnd(4_000, 'x'));
    expect(recordedLines(...recording(files(1_000), 2)).costs).toHaveLength(2);
    expect(() => recordedLines(...recording(files(1_001), 2))).toThrowError(tooLarge);
    const [tables, profiles, line] = recording(files(3_000));
    const sampled = profiles.map((profile) => ({ ...profile, sampleValue: profile.sampleValue.map((_, row) => (row < 10 ? 1 : 0)), sampleCount: profile.sampleCount.map((_, row) => (row < 10 ? 1 : 0)) })); // prettier-ignore
    expect(recordedLines(tables, sampled, line).costs[0]!.files.file).toHaveLength(10);
  });
});

describe('a batch with too many lines', () => {
  const batch = (sequence: number, lines: Batch['profiles'][number]['lines']) =>
    encodeBatch(lineBatch({ processId: 'a'.repeat(32), sequence, startMs: 1_763_600_000_000 }, '10\nmain#7@a.ts', lines));

  it('is refused alone', () => {
    const body = gzipSync(Uint8Array.of(...batch(1, 'call-site'), ...batch(2, 'definition')));
    const task = { body: new Uint8Array(body), encoding: 'gzip', maxInflatedBytes: 1e6 } as const;
    expect(decodeBatches(task).batches.map(({ profiles }) => profiles[0]!.lineCosts?.self)).toEqual([
      Float64Array.of(10),
      undefined,
    ]);
    const { batches, faults } = decodeBatches({ ...task, maxLineVisits: 1 });
    expect(batches.map(({ sequence }) => sequence)).toEqual([2]);
    expect(faults.map(({ code }) => code)).toEqual(['LINES_TOO_LARGE']);
  });
});
