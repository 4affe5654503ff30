import { describe, expect, it } from 'vitest';
import { PROFILE_TYPE_IDS } from '@hearth/profile-model';
import type { Batch } from '@hearth/wire-format';
import { madeBatch } from '../../../../../test/support/made-batch.js';
import { canonicalBatch } from './canonical-batch.js';

function batch(
  rootDir: string,
  names: string[],
  scriptNames: string[],
  parent: number[],
  functionRow: number[],
  values: number[],
): Batch {
  const made = madeBatch({ processId: 'a'.repeat(32), sequence: 1, startMs: 0 });
  return {
    ...made,
    process: { ...made.process, rootDir },
    functions: { length: names.length, name: names, scriptName: scriptNames, line: new Uint32Array(names.length) },
    stacks: { length: parent.length, parent: Int32Array.from(parent), functionRow: Uint32Array.from(functionRow) },
    labelSets: [[]],
    profiles: [
      {
        typeId: PROFILE_TYPE_IDS.cpu,
        lines: 'definition',
        sampleStack: Int32Array.from(values, (_, row) => row - 1), // the first has no frames
        sampleLabelSet: new Uint32Array(values.length),
        sampleValue: Float64Array.from(values),
        sampleCount: new Float64Array(values.length).fill(1),
      },
    ],
    transactions: [],
    report: { ...made.report, droppedBatches: 3 },
  };
}

describe('canonicalBatch', () => {
  it('gives functions that differ only in their line one name', () => {
    const file = 'file:///srv/shop/src/cart.js';
    const result = canonicalBatch(
      batch('/srv/shop', ['main', 'price', 'price'], [file, file, file], [-1, 0, 0], [0, 1, 2], [1, 10, 200, 3000]),
    );
    expect(result.functions).toEqual({
      length: 3,
      name: ['main', 'price', 'price'],
      package: ['', '', ''],
      file: ['src/cart.js', 'src/cart.js', 'src/cart.js'],
    });
    expect(result.report.droppedBatches).toBe(3);
  });

  it('names a function without a name, and remembers files of each root apart', () => {
    const of = (rootDir: string) => canonicalBatch(batch(rootDir, ['', ''], ['/srv/shop/a.js', ''], [-1], [0], [1])).functions;
    expect(of('/srv/shop')).toEqual({
      length: 2,
      name: ['(anonymous)', '(anonymous)'],
      package: ['', 'native'],
      file: ['a.js', ''],
    });
    expect(of('/srv')).toEqual({
      length: 2,
      name: ['(anonymous)', '(anonymous)'],
      package: ['', 'native'],
      file: ['shop/a.js', ''],
    });
  });
});
