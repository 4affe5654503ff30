import { labelValue } from '@hearth/profile-model';
import { describe, expect, it } from 'vitest';
import { wireWithoutSampler } from './context-wiring.js';
import { TransactionTracker } from './transaction-tracker.js';

describe('TransactionTracker', () => {
  it('counts by label set and outcome, with sum and sketch', () => {
    const tracker = new TransactionTracker(wireWithoutSampler());
    for (const outcome of ['ok', 'ok', 'error'] as const) tracker.end(tracker.begin('custom', 'job', [['plan', 'pro']]), outcome);
    const period = tracker.endPeriod();
    expect(period.counts.map(({ kind, outcome, count }) => [kind, outcome, count])).toEqual([
      ['custom', 'ok', 2],
      ['custom', 'error', 1],
    ]);
    expect(period.counts[0]!.sketchCount.reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(tracker.endPeriod().counts).toEqual([]);
  });

  it('counts a transaction once, however often it ends', () => {
    const tracker = new TransactionTracker(wireWithoutSampler());
    const transaction = tracker.begin('http', 'GET /', []);
    tracker.end(transaction, 'ok');
    tracker.end(transaction, 'error');
    expect(tracker.endPeriod().counts.map(({ outcome, count }) => [outcome, count])).toEqual([['ok', 1]]);
  });

  it('counts a transaction with the label set that its samples were sent with, and what came too late as late', () => {
    const tracker = new TransactionTracker(wireWithoutSampler());
    const transaction = tracker.begin('http', undefined, [['plan', 'pro']]);
    tracker.wiring.run(transaction, () => {
      const first = tracker.endPeriod();
      const sentAs = first.labelSets.labelSets[first.rowOfScope(transaction)];
      expect(
        tracker.tag([
          ['plan', 'free'],
          ['items', '2-9'],
        ]),
      ).toBe(true);
      tracker.nameOnce(transaction, 'GET /late');
      tracker.end(transaction, 'ok');
      const second = tracker.endPeriod();
      expect(second.labelSets.labelSets[second.counts[0]!.labelSet]).toEqual(sentAs);
      expect(second.lateLabels).toBe(3);
    });
  });

  it('asks for a name that is not there yet when samples are packed, and only then', () => {
    const tracker = new TransactionTracker(wireWithoutSampler());
    const transaction = tracker.begin('http', undefined, []);
    let route: string | undefined;
    transaction.nameLater(() => route);
    const nameIn = (period = tracker.period): string | undefined =>
      labelValue(period.labelSets.labelSets[period.rowOfScope(transaction)]!, 'transaction');
    route = 'GET /slow';
    expect(nameIn()).toBe('GET /slow');
    route = 'GET /other';
    tracker.end(transaction, 'ok');
    expect([nameIn(), transaction.name, transaction.findName]).toEqual(['GET /slow', 'GET /slow', undefined]);

    const nowhere = tracker.begin('http', undefined, []);
    nowhere.nameLater(() => undefined);
    tracker.period.rowOfScope(nowhere);
    expect([nowhere.name, nowhere.sentAs]).toEqual([undefined, [['transaction', '(unnamed)']]]);
  });

  it('tags the innermost transaction, and nothing outside of one', () => {
    const tracker = new TransactionTracker(wireWithoutSampler());
    const [outer, inner] = [tracker.begin('custom', 'outer', []), tracker.begin('custom', 'inner', [])];
    tracker.wiring.run(outer, () => tracker.wiring.run(inner, () => tracker.tag([['plan', 'pro']])));
    expect([outer.labels, inner.labels]).toEqual([undefined, new Map([['plan', 'pro']])]);
    expect(tracker.tag([['plan', 'pro']])).toBe(false);
  });

  it('keeps 32 labels of a transaction, however often it is tagged', () => {
    const tracker = new TransactionTracker(wireWithoutSampler());
    const transaction = tracker.begin('custom', 'job', []);
    for (let at = 0; at < 33; at += 1) transaction.addLabels([[`label${at}`, 'first']]);
    transaction.addLabels([['label0', 'second']]);
    expect([transaction.labels!.size, transaction.labels!.has('label32'), transaction.labels!.get('label0')]).toEqual([
      32,
      false,
      'second',
    ]);
  });

  it('puts a span on samples, not on counts', () => {
    const tracker = new TransactionTracker(wireWithoutSampler());
    const transaction = tracker.begin('custom', 'job', []);
    const { period } = tracker;
    const row = period.rowOfScope({ transaction, spanName: 'price', spanRow: 0 });
    tracker.end(transaction, 'ok');
    expect(labelValue(period.labelSets.labelSets[row]!, 'span')).toBe('price');
    expect(period.labelSets.labelSets[period.counts[0]!.labelSet]).toEqual([['transaction', 'job']]);
  });
});
