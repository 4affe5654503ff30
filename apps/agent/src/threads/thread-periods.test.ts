import { getEnvironmentData } from 'node:worker_threads';
import type { Batch } from '@hearth/wire-format';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { madeBatch } from '../../../../test/support/made-batch.js';
import { Measures } from '../measures/measures.js';
import { readEnvironment } from '../options/environment.js';
import { isOptionFault, resolveSettings } from '../options/options.js';
import { AgentLog } from '../safety/agent-log.js';
import { createGuard } from '../safety/guard.js';
import { wireWithoutSampler } from '../transactions/context-wiring.js';
import { TransactionTracker } from '../transactions/transaction-tracker.js';
import { ThreadLink } from './thread-link.js';
import { THREAD_PLACE, type ThreadPlace } from './thread-messages.js';
import { ThreadPeriods } from './thread-periods.js';

const settings = resolveSettings({ key: 'k', redact: ['email'] }, readEnvironment({}));
if (isOptionFault(settings)) throw new Error(settings.message);
const guard = createGuard(new AgentLog());

/** What a thread that ran `runs` transactions hands over. */
function batchOf(runs: number): Batch {
  const counted = { labelSet: 0, kind: 'custom', outcome: 'ok', count: runs, durationSumMicros: runs } as const;
  return {
    ...madeBatch({ processId: '', sequence: 1, startMs: 60_000 }),
    labelSets: [[['transaction', 'job']]],
    profiles: [],
    transactions: [{ ...counted, sketchBucket: Int32Array.of(0), sketchCount: Float64Array.of(runs) }],
  };
}

let tracker: TransactionTracker;
let periods: ThreadPeriods;
let link: ThreadLink;
const runs = (): number => tracker.period.counts.reduce((sum, { count }) => sum + count, 0);
const place = (): ThreadPlace => getEnvironmentData(THREAD_PLACE) as ThreadPlace;

beforeEach(() => {
  tracker = new TransactionTracker(wireWithoutSampler());
  periods = new ThreadPeriods(
    () => tracker,
    new Measures(guard),
    settings,
    'frames',
    new AgentLog(),
    guard,
    () => {},
  );
  periods.start();
  link = new ThreadLink(place(), guard);
});
afterEach(() => {
  link.stop();
  periods.retire();
  periods.close();
});

describe('ThreadPeriods', () => {
  it('leaves a note for workers, with the rules of labels, until it retires', () => {
    expect(place()).toMatchObject({
      wiring: 'frames',
      options: { rateHz: 99, waits: 'on' },
      labelRules: { redact: ['email'], key: 'k' },
    });
    periods.retire();
    expect(place()).toBeUndefined();
  });

  it('takes what has come, though the event loop has not turned since the first thread was made', () => {
    link.put(batchOf(2), undefined, 'more-to-come');
    link.put(batchOf(3), undefined, 'last');
    expect(periods.take()).toBeDefined();
    expect(runs()).toBe(5);
    expect(periods.take()).toBeUndefined();
  });

  it('keeps what comes while lines are recorded for the period after', () => {
    periods.holdBack(true);
    link.put(batchOf(2), undefined, 'more-to-come');
    expect(periods.take()).toBeUndefined();
    expect(runs()).toBe(0);
    periods.holdBack(false);
    expect(periods.take()).toBeDefined();
    expect(runs()).toBe(2);
  });

  it('counts the transactions of what is too much to be kept', () => {
    periods.holdBack(true);
    for (let at = 0; at < 600; at += 1) link.put(batchOf(1), undefined, 'more-to-come');
    periods.take();
    expect(runs()).toBe(100);
    expect(periods.isKeeping).toBe(true);
    periods.holdBack(false);
    expect(periods.isKeeping).toBe(false);
    expect(runs()).toBe(600);
  });

  it('waits for threads that it knows until they have answered, and for no others', async () => {
    link.open(
      () => link.put(batchOf(7), undefined, 'more-to-come'),
      () => {},
    );
    const beganAt = performance.now();
    await periods.collect(10_000);
    expect(performance.now() - beganAt).toBeLessThan(5_000);
    periods.take();
    expect(runs()).toBe(7);
    link.put(batchOf(1), undefined, 'last');
    expect(periods.collect(10_000)).toBeUndefined();
  });

  it('waits no longer than it is told for one that does not answer, and then forgets it', async () => {
    link.open(
      () => {},
      () => {},
    );
    await periods.collect(20);
    expect(periods.collect(10_000)).toBeUndefined();
  });
});
