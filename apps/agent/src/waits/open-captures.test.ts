import { describe, expect, it } from 'vitest';
import { Transaction } from '../transactions/transaction.js';
import { FORGET_CAPTURE_AFTER_MS, MAX_OPEN_CAPTURES, MAX_OPEN_WITHIN, OpenCaptures } from './open-captures.js';
import type { Wait } from './wait.js';

const waitAt = (startMs: number, scope?: Transaction): Wait => ({
  operation: 0,
  scope,
  startMs,
  weight: 1,
  captured: {},
  captureMs: 0,
  hasEnded: false,
});

describe('OpenCaptures', () => {
  it('lets go of what counts only within a transaction with its end, and of nothing else', () => {
    const open = new OpenCaptures();
    const [ended, runs] = [new Transaction('custom', 'ended'), new Transaction('custom', 'runs')];
    const [timer, query, other] = [waitAt(0, ended), waitAt(0, ended), waitAt(0, runs)];
    open.add(timer, ended);
    open.add(query, undefined);
    open.add(other, runs);
    open.transactionEnded(ended);
    expect([timer, query, other].map(({ captured }) => captured !== undefined)).toEqual([false, true, true]);
    open.forget(query);
    open.clear();
    expect([open.size, query.captured, other.captured]).toEqual([0, undefined, undefined]);
  });

  it('keeps 200 of timers and 2,000 of all, the newest', () => {
    const open = new OpenCaptures();
    const transaction = new Transaction('custom', 'long');
    const timers = Array.from({ length: MAX_OPEN_WITHIN + 1 }, (_, at) => waitAt(at, transaction));
    for (const timer of timers) open.add(timer, transaction);
    expect([open.size, timers[0]!.captured, timers[1]!.captured]).toEqual([MAX_OPEN_WITHIN, undefined, {}]);
    const queries = Array.from({ length: MAX_OPEN_CAPTURES + 1 }, (_, at) => waitAt(1_000 + at));
    for (const query of queries) open.add(query, undefined);
    expect([open.size, queries[0]!.captured, queries[1]!.captured]).toEqual([MAX_OPEN_CAPTURES, undefined, {}]);
  });

  it('lets go of what is a minute old when another comes', () => {
    const open = new OpenCaptures();
    const [old, young] = [waitAt(0), waitAt(1)];
    open.add(old, undefined);
    open.add(young, undefined);
    open.add(waitAt(FORGET_CAPTURE_AFTER_MS), undefined);
    expect([open.size, old.captured, young.captured]).toEqual([2, undefined, {}]);
  });
});
