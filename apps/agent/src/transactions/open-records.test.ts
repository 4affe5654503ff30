import { MAX_EXEMPLAR_SPANS, MAX_EXEMPLAR_WAITS, NO_SPAN } from '@hearth/wire-format';
import { describe, expect, it } from 'vitest';
import { wireWithoutSampler } from './context-wiring.js';
import { MAX_INPUTS, MAX_OPEN_ROWS, OpenRecords } from './open-records.js';
import { TransactionTracker } from './transaction-tracker.js';
import type { Scope, Transaction } from './transaction.js';

const begin = (): Transaction => new TransactionTracker(wireWithoutSampler()).begin('custom', 'job', []);
const wait = { operation: 0, scope: undefined, startMs: 0, endMs: 1, stack: undefined };
const inputs = (count: number) => Array.from({ length: count }, (_, at): [string, string] => [`i${at}`, 'x']);

describe('OpenRecords', () => {
  it('tells what is inside of what, also beyond the last step that is kept', () => {
    const [records, job] = [new OpenRecords(), begin()];
    let around: Scope = job;
    for (let depth = 0; depth < MAX_EXEMPLAR_SPANS + 5; depth += 1) around = records.beginSpan(around, job, `s${depth}`, []);
    expect(around).toMatchObject({ spanName: `s${MAX_EXEMPLAR_SPANS + 4}`, spanRow: MAX_EXEMPLAR_SPANS - 1 });
    expect(job.record!.spans.map(({ parentRow }) => parentRow)).toEqual(job.record!.spans.map((_, row) => row - 1));
    expect(job.record!.spans).toHaveLength(MAX_EXEMPLAR_SPANS);
  });
  it('keeps so many inputs of a step and of a transaction', () => {
    const [records, job] = [new OpenRecords(), begin()];
    for (let step = 0; step < 20; step += 1) records.beginSpan(job, job, 'step', inputs(100));
    const counts = job.record!.spans.map((span) => span.inputs.length);
    expect(counts[0]).toBe(MAX_INPUTS);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(200);
  });
  it('counts waits that it does not keep', () => {
    const [records, job] = [new OpenRecords(), begin()];
    for (let at = 0; at < MAX_EXEMPLAR_WAITS + 7; at += 1) records.addWait(job, wait);
    expect([job.record!.waits.length, job.record!.waitCount]).toEqual([MAX_EXEMPLAR_WAITS, MAX_EXEMPLAR_WAITS + 7]);
  });
  it('lets the oldest go where there is too much of all, and forgets what has ended', () => {
    const records = new OpenRecords();
    const jobs = Array.from({ length: MAX_OPEN_ROWS / 100 + 1 }, () => begin());
    for (const job of jobs) for (let at = 0; at < 100; at += 1) records.addWait(job, wait);
    expect(records.rows).toBe(MAX_OPEN_ROWS);
    expect(jobs.map(({ record }) => record!.rows)).toEqual(jobs.map((_, at) => (at === 0 ? 0 : 100)));
    expect(records.beginSpan(jobs[0]!, jobs[0]!, 'later', []).spanRow).toBe(NO_SPAN);
    for (const { record } of jobs) records.ended(record!);
    expect(records.rows).toBe(0);
  });
  it('records no step of a transaction that has ended', () => {
    const tracker = new TransactionTracker(wireWithoutSampler());
    const job = tracker.begin('custom', 'job', []);
    tracker.end(job, 'ok');
    expect(tracker.wiring.run(job, () => tracker.beginSpan('late', [['a', 'b']]))).toMatchObject({
      spanRow: NO_SPAN,
      inputs: [],
    });
    tracker.addWait({ ...wait, scope: job });
    job.addContext([['late', '1']]);
    expect(job.record).toBeUndefined();
  });
});
