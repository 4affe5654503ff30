import { describe, expect, it } from 'vitest';
import { compare } from './compare.js';
import type { ComparisonInput } from './comparison-input.js';
import type { ComparisonResult, FunctionRow, Verdict } from './comparison-result.js';
import { evidenceOf, EVIDENCE } from './evidence.js';
import { describedFleet } from './testing/described-fleet.js';
import type { FleetDescription, SideDescription } from './testing/described-fleet.js';
import { exchanged, shuffled } from './testing/shuffled.js';
import { simulateFleet } from './testing/simulated-fleet.js';
import type { FleetVariation } from './testing/simulated-fleet.js';

/** Thirty functions that never change, so that a comparison has something to learn variation from. */
const others = Object.fromEntries(Array.from({ length: 30 }, (_, row) => [`handle > other${row}`, { 'GET /': 0.3 + row / 30 }]));
const shop: SideDescription = {
  processes: 4,
  windows: 6,
  traffic: { 'GET /': 1000, 'POST /order': 200 },
  cost: { ...others, 'handle > price': { 'GET /': 1 }, 'order > save': { 'POST /order': 3 }, 'poll > check': { second: 2 } },
};
function changed(change: Partial<SideDescription>, fleet: Partial<FleetDescription> = {}): ComparisonInput {
  return describedFleet({ baseline: shop, candidate: { ...shop, ...change }, ...fleet });
}
function rowOf(
  result: ComparisonResult,
  name: string,
  metric: FunctionRow['metric'] = 'self',
  transaction: string | null = null,
): FunctionRow {
  const row = result.functions.find(
    (one) => one.function.name === name && one.metric === metric && one.transaction === transaction,
  );
  if (row === undefined) throw new Error(`no row of ${name} ${metric} ${transaction}`);
  return row;
}
/** What somebody would be told: alarms, and functions that appeared or went. */
function told(result: ComparisonResult): string[] {
  return result.functions
    .filter(({ change }) => evidenceOf(change.verdict) <= EVIDENCE.appearance)
    .map((row) => `${row.function.name} ${row.metric} ${row.transaction} ${row.change.verdict}`);
}

describe('compare', () => {
  const kinds: { name: string; input: ComparisonInput }[] = [
    ...(['even', 'uneven', 'heavy tails', 'hot process', 'autocorrelated'] as FleetVariation[]).map((variation, seed) => ({
      name: variation,
      input: simulateFleet({
        seed,
        processes: 3,
        candidateProcesses: 4,
        functions: 40,
        windows: 3,
        cv: 0.05,
        variation,
        plantedSamples: 900,
        plantedShare: 0.1,
        planted: [1.5, 0],
        traffic: [0.8, 0.6],
      }),
    })),
    { name: 'two processes', input: changed({ processes: 2, cost: { ...shop.cost, 'handle > price': { 'GET /': 2 } } }) },
    { name: 'no transactions', input: withoutTransactions(1) },
    { name: 'levels', input: changed({}, { kind: 'level', unit: 'bytes', sampleValue: 512.7 }) },
    { name: 'one transaction gone', input: changed({ traffic: { 'GET /': 1000, 'GET /new': 50 } }) },
  ];

  it.each(kinds)('finds nothing if a side is compared with itself: $name', ({ input }) => {
    const result = compare({ ...input, candidate: input.baseline });
    for (const { change } of [...result.functions, ...result.transactions, ...result.strip]) {
      expect(change.delta).toBe(0);
      expect(['UNCHANGED', 'NOT_ENOUGH_DATA', 'NO_VERDICT'] satisfies Verdict[]).toContain(change.verdict);
    }
    expect(result.cover).toEqual([]);
    for (const part of Object.values(result.mix ?? {})) expect(part).toBeCloseTo(0, 6);
  });

  it.each(kinds)('changes only signs if the sides are exchanged: $name', ({ input }) => {
    const forth = compare(input);
    const back = compare(exchanged(input));
    const keyed = new Map(back.functions.map((row) => [`${row.function.name} ${row.metric} ${row.transaction}`, row]));
    expect(back.functions).toHaveLength(forth.functions.length);
    for (const {
      function: { name },
      metric,
      transaction,
      change,
    } of forth.functions) {
      const other = keyed.get(`${name} ${metric} ${transaction}`)!.change;
      const size = Math.max(1, change.baseline, change.candidate);
      expect((other.delta + change.delta) / size).toBeCloseTo(0, 9);
      expect(other.p ?? 0).toBeCloseTo(change.p ?? 0, 9);
      expect(evidenceOf(other.verdict)).toBe(evidenceOf(change.verdict));
    }
    expect(forth.tree.baselineTotal[0]).toBeCloseTo(back.tree.candidateTotal[0]!, 6);
  });

  it.each(kinds)('gives the same bytes in whatever order it is told: $name', ({ input }) => {
    const bytes = JSON.stringify(compare(input));
    expect(JSON.stringify(compare(input))).toBe(bytes);
    for (const seed of [1, 2, 3]) expect(JSON.stringify(compare(shuffled(input, seed)))).toBe(bytes);
    expect(bytes).not.toContain('NaN');
  });

  it.each(kinds)('shows the same figure in strip, tree and rows: $name', ({ input }) => {
    const { strip, tree, functions, baseline } = compare(input);
    expect(tree.baselineTotal[0]).toBeCloseTo(strip[0]!.change.baseline, 6);
    expect(tree.candidateTotal[0]).toBeCloseTo(strip[0]!.change.candidate, 6);
    expect(baseline.value).toBeCloseTo(
      input.baseline.samples.value.reduce((sum, value) => sum + value, 0),
      3,
    );
    const selfInTree = new Map<string, number>();
    tree.functionRow.forEach((row, at) => {
      const name = tree.functions[row]?.name ?? '';
      selfInTree.set(name, (selfInTree.get(name) ?? 0) + tree.candidateSelf[at]!);
    });
    for (const row of functions.filter(({ metric, transaction }) => metric === 'self' && transaction === null)) {
      expect(selfInTree.get(row.function.name) ?? 0).toBeCloseTo(row.change.candidate, 6);
    }
  });

  it('puts the function that became dearer on top, in its transaction, and its callers behind', () => {
    const result = compare(changed({ cost: { ...shop.cost, 'handle > price': { 'GET /': 1.5 } } }));
    const [first] = result.functions;
    expect(first).toMatchObject({ function: { name: 'price' }, metric: 'self', transaction: 'GET /', cause: 'own' });
    expect(first!.change.verdict).toBe('REGRESSED');
    expect(first!.change.intervalPct![0]).toBeLessThan(50);
    expect(first!.change.intervalPct![1]).toBeGreaterThan(50);
    expect(result.cover).toHaveLength(1);
    expect(result.cover[0]).toMatchObject({
      function: { name: 'price' },
      path: ['handle'],
      transaction: 'GET /',
      share: 1,
      change: first!.change,
    });
    expect(result.tree.functions[result.tree.functionRow[result.cover[0]!.treeRow]!]!.name).toBe('price');
    expect(told(result).filter((row) => !row.startsWith('price') && !row.startsWith('handle'))).toEqual([]);
  });

  it('marks a caller that changed only through what it calls', () => {
    const result = compare(changed({ cost: { ...shop.cost, 'handle > price': { 'GET /': 9 } } }));
    expect(rowOf(result, 'handle', 'inclusive')).toMatchObject({ cause: 'callees', change: { verdict: 'REGRESSED' } });
    const verdictRows = result.functions.map((row) => row.cause === 'callees' && row.change.verdict === 'REGRESSED');
    expect(verdictRows.indexOf(true)).toBeGreaterThan(
      result.functions.findLastIndex((row) => row.cause === 'own' && row.change.verdict === 'REGRESSED'),
    );
  });

  it('tells the changes of a whole release apart', () => {
    const before = {
      ...shop,
      processes: 8,
      cost: { ...shop.cost, 'handle > format': { 'GET /': 1 }, 'order > total@src/old.ts': { 'POST /order': 2 } },
    };
    const after = {
      ...before,
      traffic: { 'GET /': 800, 'POST /order': 300 },
      cost: {
        ...shop.cost,
        'handle > price': { 'GET /': 4 },
        'handle > format': { 'GET /': 0.6 },
        'order > total@src/new.ts': { 'POST /order': 2 },
      },
    };
    const result = compare(describedFleet({ baseline: before, candidate: after }));
    expect(result.functions[0]).toMatchObject({
      function: { name: 'price' },
      transaction: 'GET /',
      change: { verdict: 'REGRESSED' },
    });
    expect(result.cover.map((row) => `${row.function.name} ${row.change!.verdict}`)).toEqual(
      expect.arrayContaining(['price REGRESSED', 'format IMPROVED'].slice(0, result.cover.length)),
    );
    expect(result.cover[0]!.function.name).toBe('price');
    const names = new Set(
      result.functions
        .filter(({ change, cause }) => cause === 'own' && evidenceOf(change.verdict) <= EVIDENCE.appearance)
        .map((row) => row.function.name),
    );
    // `total` moved to another file: until moved functions are matched it has gone and come, which nobody calls slower.
    expect([...names].sort()).toEqual(['format', 'price', 'total']);
    const ofTotal = result.functions.filter((row) => row.function.name === 'total').map(({ change }) => change.verdict);
    expect(new Set(ofTotal)).toEqual(new Set(['NEW', 'GONE']));
    expect(evidenceOf(rowOf(result, 'order', 'inclusive', 'POST /order').change.verdict)).toBe(EVIDENCE.none);
  });

  it('splits the change of the service without residue', () => {
    const result = compare(
      changed({
        traffic: { 'GET /': 700, 'POST /order': 400, 'GET /new': 30 },
        cost: { ...shop.cost, 'new > load': { 'GET /new': 8 }, 'handle > price': { 'GET /': 2 } },
      }),
    );
    const { total, volume, mix, code, background, newTransactions, goneTransactions } = result.mix!;
    expect((volume + mix + code + background + newTransactions - goneTransactions) / total).toBeCloseTo(1, 12);
    const perSecond =
      result.candidate.value / result.candidate.processSeconds - result.baseline.value / result.baseline.processSeconds;
    expect(total / perSecond).toBeCloseTo(1, 12);
    expect(result.transactions.find(({ status }) => status === 'new')).toMatchObject({
      transaction: 'GET /new',
      change: { verdict: 'NO_VERDICT' },
    });
  });
});

describe('traps', () => {
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

  it('a comment line inserted at the top of a file changes nothing, for lines are not in the identity', () => {
    // The function table has no lines: the same functions in other rows are all that another build can show.
    const input = changed({});
    const moved = { ...input, candidate: input.baseline };
    expect(told(compare(moved))).toEqual([]);
    expect(compare(moved).functions.every(({ change }) => change.delta === 0)).toBe(true);
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
      expect(JSON.stringify(result)).not.toMatch(/NaN|Infinity/);
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

/** One program without transactions; `price` at the given cost in the candidate. */
function withoutTransactions(price: number): ComparisonInput {
  const cost = (ofPrice: number) => ({
    ...Object.fromEntries(Object.keys(others).map((stack, row) => [stack, { second: 2 + row / 10 }])),
    ...(ofPrice > 0 ? { 'handle > price': { second: 30 * ofPrice } } : {}),
  });
  return describedFleet({
    baseline: { ...shop, traffic: {}, cost: cost(1) },
    candidate: { ...shop, traffic: {}, cost: cost(price) },
  });
}
