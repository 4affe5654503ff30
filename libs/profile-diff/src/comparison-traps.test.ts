import { describe, expect, it } from 'vitest';
import { compare } from './compare.js';
import type { ComparisonInput } from './comparison-input.js';
import { evidenceOf, EVIDENCE } from './evidence.js';
import { describedFleet } from './testing/described-fleet.js';
import { finiteJson } from './testing/finite-json.js';
import { changed, others, rowOf, shop, told, withoutTransactions } from './testing/shop-fleet.js';

describe('traps of comparisons', () => {
  it('recursion is counted once', () => {
    const result = compare(
      changed(
        {},
        {
          cv: 0,
          baseline: { ...shop, cost: { ...others, 'handle > walk > walk > walk': { 'GET /': 2 } } },
          candidate: { ...shop, cost: { ...others, 'handle > walk > walk > walk': { 'GET /': 2 } } },
        },
      ),
    );
    const row = rowOf(result, 'walk', 'inclusive', 'GET /');
    expect(row.change.baseline).toBeCloseTo(20_000, 6); // two samples of 10 ms per transaction
  });

  it('idle time, program and garbage collection are shown and never blamed', () => {
    const runtime = (factor: number) => ({
      ...shop.cost,
      '(idle)': { second: 50 / factor },
      '(program)': { second: 1 * factor },
      '(garbage collector)': { second: 2 * factor },
    });
    const result = compare(changed({ cost: runtime(3) }, { baseline: { ...shop, cost: runtime(1) } }));
    expect(result.runtimeRows.map(({ name }) => name)).toEqual(['(garbage collector)', '(idle)', '(program)']);
    expect(result.functions.filter((row) => row.function.name.startsWith('('))).toEqual([]);
    expect(told(result)).toEqual([]);
    expect(result.tree.functions.some(({ name }) => name === '(idle)')).toBe(false); // idle time is not work
    const [collector] = result.runtimeRows;
    expect(collector!.candidate / collector!.baseline).toBeCloseTo(3, 0);
  });

  it('a changed sampling rate, Node version or agent is warned of', () => {
    const result = compare(
      changed({ process: () => ({ rateHz: 49, nodeVersion: 'v24.1.0', agentVersion: '0.2.0', droppedBatches: 2 }) }),
    );
    expect(result.warnings.map(({ code }) => code)).toEqual([
      'NODE_VERSIONS_DIFFER',
      'AGENT_VERSIONS_DIFFER',
      'RATES_DIFFER',
      'DROPPED_BATCHES',
    ]);
    expect(result.warnings[2]!.message).toContain('99 Hz and 49 Hz');
  });

  it('one hot process raises no alarm', () => {
    const result = compare(changed({ process: (row) => (row === 2 ? { slowdown: 1.4 } : {}) }));
    expect(told(result)).toEqual([]);
  });

  it('more processes on one side are no change, and are told', () => {
    const result = compare(changed({ processes: 9 }));
    expect(told(result)).toEqual([]);
    expect(result.warnings.map(({ code }) => code)).toEqual(['UNEQUAL_PROCESSES']);
    expect(result.mix!.code / result.mix!.total).not.toBeNaN();
  });

  it('a removed function leaves the others neutral where nothing counts the work', () => {
    const result = compare(withoutTransactions(0));
    expect(result.basis).toBe('tmm');
    expect(result.warnings.map(({ code }) => code)).toContain('NO_TRANSACTIONS');
    // Its caller lost what it cost; nobody else is told of.
    expect(told(result)).toEqual(['price self null GONE', 'price inclusive null GONE', 'handle inclusive null IMPROVED']);
    expect(result.cover.map((row) => row.function.name)).toEqual(['price']);
    const neutral = result.functions.filter((row) => row.function.name.startsWith('other') && row.metric === 'self');
    expect(Math.max(...neutral.map(({ change }) => Math.abs(change.deltaPct!)))).toBeLessThan(12);
    expect(result.strip).toHaveLength(1);
    expect(result.strip[0]!.change.verdict).toBe('NO_VERDICT');
  });

  it('transactions that are known of a part only are not divided by, and that is told', () => {
    const input = changed({ cost: { ...shop.cost, 'handle > price': { 'GET /': 3 } } });
    const uncounted = (side: ComparisonInput['baseline']) => ({ ...side, counts: emptied(side.counts) });
    const sides = { baseline: uncounted(input.baseline), candidate: uncounted(input.candidate) };
    const result = compare({ ...input, ...sides, countedSinceMs: Date.UTC(2026, 7, 22) });
    expect(result.basis).toBe('tmm');
    expect(result.warnings.map(({ code }) => code)).toEqual(['TRANSACTIONS_EXPIRED']);
    expect(result.warnings[0]!.message).toContain('from 2026-08-22 on only');
    expect(rowOf(result, 'price').change.verdict).toBe('REGRESSED');
  });

  it('background work that goes on while other work shrinks stays neutral', () => {
    const result = compare(changed({ traffic: { 'GET /': 300, 'POST /order': 60 } }));
    expect(told(result)).toEqual([]);
    expect(Math.abs(rowOf(result, 'check').change.deltaPct!)).toBeLessThan(8);
    expect(result.mix!.volume).toBeLessThan(0);
    expect(Math.abs(result.mix!.background / result.mix!.total)).toBeLessThan(0.02);
  });

  it('a shift of traffic from 90/10 to 70/30 is no regression, and is shown', () => {
    const result = compare(
      changed(
        { traffic: { 'GET /': 700, 'POST /order': 300 } },
        { baseline: { ...shop, traffic: { 'GET /': 900, 'POST /order': 100 } } },
      ),
    );
    expect(told(result)).toEqual([]);
    expect(result.strip.filter(({ change }) => evidenceOf(change.verdict) <= EVIDENCE.appearance)).toEqual([]);
    expect(Math.abs(result.mix!.mix)).toBeGreaterThan(10 * Math.abs(result.mix!.volume));
    expect(result.warnings.map(({ code }) => code)).toContain('TRAFFIC_MIX_SHIFTED');
  });

  it('failing transactions that are cheaper are warned of, and retries', () => {
    const failing = compare(changed({ errors: { 'GET /': 0.2 } }));
    expect(failing.warnings.map(({ code }) => code)).toEqual(['ERROR_RATES_DIFFER']);
    const retried = compare(changed({ errors: { 'GET /': 0.2 }, traffic: { 'GET /': 1250, 'POST /order': 250 } }));
    expect(retried.warnings.map(({ code }) => code)).toEqual(['ERROR_RATES_DIFFER', 'RETRIES_POSSIBLE']);
  });

  it('two processes a side say likely at most, and what was assumed', () => {
    const dearer = { ...shop, processes: 2, windows: 30, cost: { ...shop.cost, 'handle > price': { 'GET /': 2 } } };
    const result = compare(describedFleet({ baseline: { ...shop, processes: 2, windows: 30 }, candidate: dearer }));
    expect(rowOf(result, 'price').change.verdict).toBe('LIKELY_REGRESSED');
    expect(result.functions.some(({ change }) => evidenceOf(change.verdict) <= EVIDENCE.appearance)).toBe(false);
    expect(result.variance).toMatchObject({ replicates: 'windows', betweenProcessCv: 0.05 });
    expect(result.cover[0]).toMatchObject({ function: { name: 'price' }, transaction: 'GET /' });
    expect(result.warnings.map(({ code }) => code)).toContain('FEW_PROCESSES');
  });

  it('a function is new after three windows, not after two', () => {
    const appearing = (windows: number[]) =>
      compare(changed({ cost: { ...shop.cost, 'handle > fresh': { 'GET /': 2 } }, windowsOf: { 'handle > fresh': windows } }));
    expect(rowOf(appearing([0, 2, 4]), 'fresh').change).toMatchObject({
      verdict: 'NEW',
      baseline: 0,
      deltaPct: null,
      intervalPct: null,
    });
    expect(rowOf(appearing([0, 2]), 'fresh').change.verdict).toBe('NOT_ENOUGH_DATA');
  });

  it('what is below the floor is no alarm however sure it is', () => {
    const tiny = (cost: number) => ({ ...shop.cost, 'handle > tiny': { 'GET /': cost } });
    const sides = { cv: 0.001, baseline: { ...shop, windows: 100, cost: tiny(0.02) } };
    const below = rowOf(compare(changed({ windows: 100, cost: tiny(0.04) }, sides)), 'tiny').change;
    expect(below.q).toBeLessThan(1e-3);
    expect(below.verdict).toBe('UNCHANGED'); // the whole interval is below the floor
    expect(rowOf(compare(changed({ windows: 100, cost: tiny(0.12) }, sides)), 'tiny').change.verdict).toBe('REGRESSED');
  });

  it('functions below exposure are counted, not listed', () => {
    const result = compare(changed({ cost: { ...shop.cost, 'handle > rare': { 'GET /': 0.0001 } } }));
    expect(result.belowExposure.functions).toBe(1);
    expect(result.functions.some((row) => row.function.name === 'rare')).toBe(false);
  });

  it('levels are shown per process, without verdicts', () => {
    const result = compare(
      changed({ cost: { ...shop.cost, 'handle > price': { 'GET /': 9 } } }, { kind: 'level', unit: 'bytes' }),
    );
    expect(result.basis).toBe('per-process');
    expect(new Set([...result.functions, ...result.strip].map(({ change }) => change.verdict))).toEqual(new Set(['NO_VERDICT']));
    expect(result.functions.every(({ change }) => change.p === null && change.intervalPct === null)).toBe(true);
    expect(result.functions[0]!.function.name).toBe('price'); // by the size of the change
    expect(result.baseline.value / result.baseline.processes).toBeCloseTo(result.strip[0]!.change.baseline, 6);
    expect(result.mix).toBeNull();
  });

  it('an empty side is told, and everything is a number', () => {
    const input = changed({});
    const none = {
      ...input.candidate,
      processes: [],
      samples: emptied(input.candidate.samples),
      counts: emptied(input.candidate.counts),
    };
    for (const sides of [{ candidate: none }, { baseline: none }, { baseline: none, candidate: none }]) {
      const result = compare({ ...input, ...sides });
      expect(result.warnings.map(({ code }) => code)).toContain('SIDE_EMPTY');
      expect(() => finiteJson(result)).not.toThrow();
      expect(told(result)).toEqual([]);
      for (const { change } of [...result.functions, ...result.strip])
        expect([change.baseline, change.candidate, change.delta].every(Number.isFinite)).toBe(true);
    }
  });

  it('a client that labels but does not count is compared as work in no transaction', () => {
    const input = changed({});
    const uncounted = (side: ComparisonInput['baseline']) => ({
      ...side,
      counts: { ...side.counts, count: side.counts.count.map((count, at) => (side.counts.transaction[at] === 1 ? 0 : count)) },
    });
    const result = compare({ ...input, baseline: uncounted(input.baseline), candidate: uncounted(input.candidate) });
    expect(result.transactions.map(({ transaction }) => transaction)).toEqual(['GET /']);
    expect(rowOf(result, 'save', 'self', '(no transaction)').change.baseline).toBeGreaterThan(0);
  });
});

function emptied<T extends object>(columns: T): T {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, (column as Float64Array).slice(0, 0)])) as T;
}
