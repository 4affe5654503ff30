import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StackTables } from '../samplers/stack-tables.js';
import { wireWithoutSampler } from '../transactions/context-wiring.js';
import type { Scope } from '../transactions/transaction.js';
import { TransactionTracker } from '../transactions/transaction-tracker.js';
import { OperationTable } from './operation-table.js';
import { WaitPacker } from './pack-waits.js';
import type { SeenStack } from './known-callers.js';
import { WaitLedger } from './wait-ledger.js';

function open() {
  const tracker = new TransactionTracker(wireWithoutSampler());
  const operations = new OperationTable();
  const ledger = new WaitLedger(operations, () => tracker.period);
  tracker.onEnded = (transaction) => ledger.transactionEnded(transaction);
  const packer = new WaitPacker(operations);
  return {
    tracker,
    wait: (scope: Scope | undefined, detail: string, startMs: number, endMs: number, stack?: SeenStack) =>
      ledger.add({ operation: operations.rowOf('pg', detail), scope, startMs, endMs, stack }),
    /** The period as rows of both profiles. */
    endPeriod: (which: 'more-to-come' | 'last') => {
      const period = tracker.endPeriod();
      const tables = new StackTables();
      const [wait, awaited] = packer.pack(ledger.endPeriod(period, which === 'last'), tables, which === 'last');
      const rows = [...wait!.sampleValue].map((micros, at) => ({
        labels: period.labelSets.labelSets[wait!.sampleLabelSet[at]!]!.map(([, value]) => value).join(' '),
        stack: tables
          .framesRootFirst([wait!.sampleStack[at]!])[0]!
          .map(({ name }) => name)
          .join(';'),
        micros,
        count: wait!.sampleCount[at]!,
      }));
      return { rows, awaitedMicros: [...awaited!.sampleValue], awaitedCount: [...awaited!.sampleCount] };
    },
  };
}
const stackOf = (name: string, weight: number): SeenStack => ({
  framesRootFirst: [{ name, scriptName: '/a.js', line: 1 }],
  weight,
});

describe('the ledger of waits', () => {
  it('shares the exact total of an operation among the stacks that were seen of it', () => {
    const { tracker, wait, endPeriod } = open();
    const transaction = tracker.begin('custom', 'checkout', []);
    wait(transaction, 'SELECT ?', 0, 100, stackOf('load', 30));
    wait(transaction, 'SELECT ?', 0, 50);
    wait(transaction, 'SELECT ?', 0, 250, stackOf('save', 90));
    wait(transaction, 'COMMIT', 300, 301);
    tracker.end(transaction, 'ok');
    const { rows, awaitedMicros, awaitedCount } = endPeriod('more-to-come');
    expect(rows).toEqual([
      { labels: 'checkout', stack: 'load;pg SELECT ?', micros: 100_000, count: 1 },
      { labels: 'checkout', stack: 'save;pg SELECT ?', micros: 300_000, count: 2 },
      { labels: 'checkout', stack: 'pg COMMIT', micros: 1_000, count: 1 },
    ]);
    expect([awaitedMicros, awaitedCount]).toEqual([[251_000], [1]]);
  });

  it('gives what an operation took of which no stack was seen to those that were seen before in the same transaction', () => {
    const { tracker, wait, endPeriod } = open();
    const request = (name: string, ...stacks: (SeenStack | undefined)[]): void => {
      const transaction = tracker.begin('custom', name, []);
      for (const stack of stacks) wait(transaction, 'SELECT ?', 0, 100, stack);
      tracker.end(transaction, 'ok');
    };
    request('checkout', stackOf('load', 3), stackOf('save', 1));
    request('search', undefined);
    endPeriod('more-to-come');
    request('checkout', undefined);
    request('search', undefined);
    expect(endPeriod('more-to-come').rows).toEqual([
      { labels: 'checkout', stack: 'load;pg SELECT ?', micros: 75_000, count: 1 },
      { labels: 'checkout', stack: 'save;pg SELECT ?', micros: 25_000, count: 0 },
      { labels: 'search', stack: 'pg SELECT ?', micros: 100_000, count: 1 },
    ]);
  });

  it('knows callers of one period whatever labels they had, and asks for them by the step', () => {
    const { tracker, wait, endPeriod } = open();
    const request = (plan: string, stack?: SeenStack): void => {
      const transaction = tracker.begin('custom', 'checkout', [['plan', plan]]);
      wait(transaction, 'SELECT ?', 0, 100, stack);
      const pay = { transaction, spanName: 'pay', spanRow: 0 };
      wait(pay, 'SELECT ?', 0, 1);
      tracker.end(transaction, 'ok');
    };
    request('free');
    request('pro', stackOf('load', 3));
    const { rows } = endPeriod('more-to-come');
    expect(rows.map(({ labels, stack, micros }) => `${labels}: ${stack} ${micros}`).toSorted()).toEqual([
      'free checkout: load;pg SELECT ? 100000',
      'free pay checkout: pg SELECT ? 1000',
      'pro checkout: load;pg SELECT ? 100000',
      'pro pay checkout: pg SELECT ? 1000',
    ]);
  });

  it('waits one period for the labels of an unfinished transaction, then sends what there is', () => {
    const { tracker, wait, endPeriod } = open();
    const [named, unnamed] = [tracker.begin('http', undefined, []), tracker.begin('http', undefined, [])];
    wait(named, 'SELECT ?', 0, 10);
    wait(unnamed, 'SELECT ?', 0, 20);
    expect(endPeriod('more-to-come').rows).toEqual([]);
    tracker.nameOnce(named, 'GET /');
    tracker.end(named, 'ok');
    expect(endPeriod('more-to-come').rows.map(({ labels, micros }) => [labels, micros])).toEqual([
      ['GET /', 10_000],
      ['(unnamed)', 20_000],
    ]);
    wait(unnamed, 'SELECT ?', 30, 35); // sent as what it was before, without another period of waiting
    expect(endPeriod('more-to-come').rows).toMatchObject([{ labels: '(unnamed)', micros: 5_000 }]);
  });

  it('keeps nothing back in the last period, and files what ends after its transaction', () => {
    const { tracker, wait, endPeriod } = open();
    const transaction = tracker.begin('custom', 'fire and forget', []);
    tracker.end(transaction, 'ok');
    wait(transaction, 'INSERT', 0, 7.0004);
    wait(tracker.begin('custom', 'running', []), 'INSERT', 0, 3);
    wait(undefined, 'INSERT', 0, 1);
    const { rows, awaitedMicros } = endPeriod('last');
    expect(rows.map(({ labels, micros }) => [labels, micros])).toEqual([
      ['fire and forget', 7_000],
      ['', 1_000],
      ['running', 3_000],
    ]);
    expect(awaitedMicros).toEqual([]);
  });

  it('loses no microsecond over all periods, whatever is seen', () => {
    const aWait = fc.record({
      transaction: fc.integer({ min: -1, max: 5 }),
      detail: fc.constantFrom('SELECT ?', 'COMMIT'),
      ms: fc.double({ min: 0, max: 50, noNaN: true }),
      seen: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(fc.array(aWait, { maxLength: 30 }), { minLength: 1, maxLength: 5 }), (periods) => {
        const { tracker, wait, endPeriod } = open();
        const transactions = Array.from({ length: 6 }, (_, at) => tracker.begin('custom', `t${at}`, []));
        let [exactMicros, sentMicros, count, sentCount] = [0, 0, 0, 0];
        periods.forEach((waits, period) => {
          for (const { transaction, detail, ms, seen } of waits) {
            wait(transactions[transaction], detail, 0, ms, seen === undefined ? undefined : stackOf(seen, Math.max(ms, 10)));
            exactMicros += ms * 1000;
            count += 1;
          }
          if (period % 2 === 1) tracker.end(transactions[period]!, 'ok');
          const isLast = period === periods.length - 1;
          const { rows } = endPeriod(isLast ? 'last' : 'more-to-come');
          for (const { micros, count: rowCount } of rows) {
            expect(Number.isSafeInteger(micros) && micros >= 0 && (isLast || micros % 100 === 0)).toBe(true);
            expect(Number.isSafeInteger(rowCount) && rowCount >= 0).toBe(true);
            sentMicros += micros;
            sentCount += rowCount;
          }
        });
        // A last period in which nothing ended has no row to put the rest of a step on.
        expect(Math.abs(sentMicros - exactMicros)).toBeLessThan(periods.at(-1)!.length > 0 ? 1.01 : 100.01);
        expect(sentCount).toBe(count);
      }),
      { numRuns: 200 },
    );
  });

  it('is bounded: beyond 5,000 totals of unfinished transactions, what more comes is sent with the labels that are known', () => {
    const { tracker, wait, endPeriod } = open();
    const transactions = Array.from({ length: 5_001 }, () => tracker.begin('http', undefined, []));
    for (const transaction of transactions) wait(transaction, 'SELECT ?', 0, 1);
    expect(endPeriod('more-to-come').rows).toMatchObject([{ labels: '(unnamed)', micros: 1_000, count: 1 }]);
    expect(endPeriod('more-to-come').rows).toMatchObject([{ labels: '(unnamed)', micros: 5_000_000, count: 5_000 }]);
  });
});
