import { labelValue, type Label } from '@hearth/profile-model';
import { describe, expect, it } from 'vitest';
import { FOLDED, LabelSetTable, MAX_LABEL_SETS, MAX_VALUES_PER_LABEL } from './label-set-table.js';

const label = (name: string, value: unknown): Label => [name, String(value)];

describe('LabelSetTable', () => {
  it('gives equal sets one row, whatever order their labels come in', () => {
    const table = new LabelSetTable();
    const row = table.rowOfTransaction('GET /', [label('b', 1), label('a', 2)]);
    expect(table.rowOfTransaction('GET /', [label('a', 2), label('b', 1)])).toBe(row);
    expect(table.labelSets[row]).toEqual([
      ['a', '2'],
      ['b', '1'],
      ['transaction', 'GET /'],
    ]);
  });

  it('lets the name of the transaction win over a label of that name', () => {
    const table = new LabelSetTable();
    const row = table.rowOfTransaction('mine', [label('transaction', 'other')]);
    expect(table.labelSets[row]).toEqual([['transaction', 'mine']]);
  });

  it("keeps a label's 100th value and folds the 101st", () => {
    const table = new LabelSetTable();
    for (let user = 0; user < MAX_VALUES_PER_LABEL; user += 1) table.rowOfTransaction('GET /', [label('user', user)]);
    expect(table.foldedCount).toBe(0);
    const row = table.rowOfTransaction('GET /', [label('user', 'one too many')]);
    expect(labelValue(table.labelSets[row]!, 'user')).toBe(FOLDED);
    expect(table.foldedCount).toBe(1);
    expect(table.rowOfTransaction('GET /', [label('user', 0)])).toBe(0);
  });

  it('counts what is folded each time, also when it comes again', () => {
    const table = new LabelSetTable();
    for (let user = 0; user <= MAX_VALUES_PER_LABEL; user += 1) table.rowOfTransaction('GET /', [label('user', user)]);
    const row = table.rowOfTransaction('GET /', [label('user', MAX_VALUES_PER_LABEL)]);
    expect(table.rowOfTransaction('GET /', [label('user', MAX_VALUES_PER_LABEL)])).toBe(row);
    expect(table.foldedCount).toBe(3);
  });

  it('adds the same labels to a row with the same result, and counts each time what is dropped', () => {
    const table = new LabelSetTable();
    const [first, second] = [table.rowOfTransaction('GET /', undefined), table.rowOfTransaction('POST /', [label('a', 1)])];
    const pay = table.rowWithLabels(first, [label('span', 'pay')]);
    expect(table.rowWithLabels(first, [label('span', 'pay')])).toBe(pay);
    expect(table.labelSets[pay]).toEqual([label('span', 'pay'), label('transaction', 'GET /')]);
    expect(table.labelSets[table.rowWithLabels(second, [label('span', 'pay')])]).toEqual([
      label('a', 1),
      label('span', 'pay'),
      label('transaction', 'POST /'),
    ]);
    for (let at = 0; table.foldedCount === 0; at += 1)
      table.rowOfTransaction(`t${at}`, [label('a', at % 50), label('b', at % 49)]);
    const folded = table.foldedCount;
    expect(table.rowWithLabels(first, [label('span', 'new')])).toBe(first);
    expect(table.rowWithLabels(first, [label('span', 'new')])).toBe(first);
    expect(table.foldedCount).toBe(folded + 2);
    expect(table.rowWithLabels(first, [label('span', 'pay')])).toBe(pay);
  });

  it('does not take one set for another whose name and labels read the same in a row', () => {
    const table = new LabelSetTable();
    const rows = [
      table.rowOfTransaction('a', [label('b', 'c')]),
      table.rowOfTransaction('ab', [label('c', '')]),
      table.rowOfTransaction('abc', undefined),
      table.rowOfTransaction('a', [label('bc', '')]),
    ];
    expect(new Set(rows).size).toBe(4);
  });

  it("keeps a transaction's name when its labels are too many", () => {
    const table = new LabelSetTable();
    for (let at = 0; at < 2_000; at += 1) table.rowOfTransaction('GET /', [label('a', at % 50), label('b', at % 49)]);
    const row = table.rowOfTransaction('POST /', [label('a', 1), label('b', 'new')]);
    expect(table.labelSets[row]).toEqual([
      ['a', FOLDED],
      ['b', FOLDED],
      ['transaction', 'POST /'],
    ]);
  });

  it('never holds more than 256 sets, and folds even names in the end', () => {
    const table = new LabelSetTable();
    const rows = Array.from({ length: 1_000 }, (_, at) => table.rowOfTransaction(`name ${at}`, undefined));
    const none = table.rowOfSent([]);
    expect(table.labelSets[none]).toEqual([]);
    for (let at = 0; at < 300; at += 1) table.rowOfSent([['transaction', `sent before ${at}`]]);
    for (let at = 0; at < 300; at += 1) table.rowWithLabels(0, [['span', `step ${at}`]]);
    expect(table.labelSets.length).toBeLessThanOrEqual(MAX_LABEL_SETS);
    expect(table.labelSets[rows.at(-1)!]).toEqual([['transaction', FOLDED]]);
    expect(table.foldedCount).toBeGreaterThan(700);
    expect(new Set(table.labelSets.map((set) => JSON.stringify(set))).size).toBe(table.labelSets.length);
  });

  it('counts a set of another thread that it has no room for', () => {
    const table = new LabelSetTable();
    const sent = Array.from({ length: MAX_LABEL_SETS }, (_, at) => table.rowOfSent([['transaction', `name ${at}`]]));
    const folded = sent.filter((row) => labelValue(table.labelSets[row]!, 'transaction') === FOLDED);
    expect(folded.length).toBeGreaterThan(0);
    expect(table.foldedCount).toBe(folded.length);
    table.rowOfSent([]);
    table.rowOfSent([['transaction', FOLDED]]);
    table.rowOfSent([['transaction', 'name 0']]);
    expect(table.foldedCount).toBe(folded.length);
  });

  it('is not filled by names of labels', () => {
    const table = new LabelSetTable();
    for (let at = 0; at < 1_000; at += 1) table.rowOfTransaction('GET /', [label(`key ${at}`, 1)]);
    expect(table.foldedCount).toBeGreaterThan(700);
    expect(table.labelSets.length).toBeLessThanOrEqual(MAX_LABEL_SETS);
  });
});
