import type { CoverRow, FunctionRow, Verdict } from '@hearth/profile-diff';
import { describe, expect, it } from 'vitest';
import { countVerdicts, functionChanges, sureOfCover } from './verdicts.js';

const row = (name: string, verdict: Verdict, transaction: string | null = null, metric: FunctionRow['metric'] = 'self') =>
  ({ function: { name, package: '', file: 'a.js' }, metric, transaction, change: { verdict } }) as FunctionRow;
const rows = [
  row('slow', 'REGRESSED', 'GET /'),
  row('slow', 'UNCHANGED'),
  row('maybe', 'LIKELY_IMPROVED'),
  row('same', 'UNCHANGED'),
  row('same', 'REGRESSED', null, 'inclusive'),
  row('few', 'NOT_ENOUGH_DATA'),
];
const names = (show: 'alarms' | 'possible' | 'all', transaction = '') =>
  functionChanges(rows, 'self', show, transaction).map((changes) => changes.rows[0]!.function.name);

describe('functionChanges', () => {
  it('has one entry per function, its strongest row first', () => {
    expect(functionChanges(rows, 'self', 'all', '')[0]!.rows).toHaveLength(2);
    expect(names('all')).toEqual(['slow', 'maybe', 'same', 'few']);
  });
  it('shows what is sure, what is likely, or everything', () => {
    expect(names('alarms')).toEqual(['slow']);
    expect(names('possible')).toEqual(['slow', 'maybe']);
  });
  it('keeps to one transaction', () => expect(names('all', 'GET /')).toEqual(['slow']));
});

describe('countVerdicts', () => {
  it('counts functions, not rows', () =>
    expect(countVerdicts(functionChanges(rows, 'self', 'all', ''))).toBe('1 regressed, 1 likely improved'));
});

describe('sureOfCover', () => {
  const cover = (...verdicts: (Verdict | null)[]) =>
    verdicts.map((verdict, at) => ({ transaction: `GET /${at}`, change: verdict && { verdict } })) as CoverRow[];
  it('is its first frame with an alarm', () => {
    expect(sureOfCover(cover(null, 'LIKELY_REGRESSED', 'IMPROVED', 'REGRESSED'))?.transaction).toBe('GET /2');
    expect(sureOfCover(cover(null, 'LIKELY_REGRESSED', 'NOT_ENOUGH_DATA'))).toBeUndefined();
  });
});
