import { describe, expect, it } from 'vitest';
import { MAX_OPERATIONS, OperationTable } from './operation-table.js';

describe('OperationTable', () => {
  it('keeps 500 names, and counts what comes after as its library’s (other)', () => {
    const table = new OperationTable();
    const rows = Array.from({ length: MAX_OPERATIONS }, (_, at) => table.rowOf('pg', `SELECT ${at}`));
    expect(new Set(rows).size).toBe(MAX_OPERATIONS);
    expect(table.name(rows.at(-1)!)).toBe('pg SELECT 499');
    expect(table.name(table.rowOf('pg', 'SELECT 500'))).toBe('pg (other)');
    expect(table.rowOf('pg', 'SELECT 501')).toBe(table.rowOf('pg', 'SELECT 500'));
    expect(table.name(table.rowOf('fs', 'readFile'))).toBe('fs (other)');
    expect(table.rowOf('pg', 'SELECT 0')).toBe(rows[0]); // known ones stay
    expect(table.name(table.otherOf(rows[0]!))).toBe('pg (other)');
  });
  it('keeps 100 libraries', () => {
    const table = new OperationTable();
    for (let at = 0; at < 100; at += 1) expect(table.name(table.rowOf(`library ${at}`, 'x'))).toBe(`library ${at} x`);
    expect(table.name(table.rowOf('one more', 'x'))).toBe('(other) (other)');
    expect(table.rowOf('another', 'y')).toBe(table.rowOf('one more', 'x'));
  });
});
