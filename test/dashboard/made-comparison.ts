import type { Change, ComparisonResult, FunctionRow, Interval, TransactionRow, UnionTree, Verdict } from '@hearth/profile-diff';
import { HOSTILE_NAMES, madeTree, ROUTES, seeded, type Route } from './made-shop.js';

/** What a request costs, of a unit of its own. */
const COST: Record<Route, number> = {
  'GET /': 0.6,
  'GET /items': 1.4,
  'GET /items/:id': 1,
  'GET /search': 2.2,
  'POST /cart': 0.8,
  'POST /checkout': 3.1,
  'recalculate-recommendations': 1.5,
};

/** What the candidate does to the self value of a function; the rest is noise. */
const PLANTED: Record<string, { factor: number; verdict: Verdict; transaction: Route | null; halfWidthPct: number }> = {
  applyDiscounts: { factor: 2.12, verdict: 'REGRESSED', transaction: 'POST /checkout', halfWidthPct: 11 },
  scoreResults: { factor: 0.61, verdict: 'IMPROVED', transaction: 'GET /search', halfWidthPct: 4 },
  escapeExpression: { factor: 1.17, verdict: 'LIKELY_REGRESSED', transaction: 'GET /items', halfWidthPct: 15 },
  tokenize: { factor: 0.9, verdict: 'LIKELY_IMPROVED', transaction: 'GET /search', halfWidthPct: 9 },
  legacyRounding: { factor: 0, verdict: 'GONE', transaction: 'POST /checkout', halfWidthPct: 0 },
};

function madeChange(baseline: number, candidate: number, verdict: Verdict, halfWidthPct: number, samples: number): Change {
  const deltaPct = baseline === 0 ? null : 100 * (candidate / baseline - 1);
  const hasInterval = deltaPct !== null && candidate > 0 && verdict !== 'NOT_ENOUGH_DATA' && verdict !== 'NO_VERDICT';
  const intervalPct: Interval | null = hasInterval ? [deltaPct - halfWidthPct, deltaPct + halfWidthPct * 1.1] : null;
  const p = {
    REGRESSED: 1e-7,
    IMPROVED: 1e-8,
    LIKELY_REGRESSED: 0.012,
    LIKELY_IMPROVED: 0.02,
    NEW: 1e-5,
    GONE: 1e-5,
    UNCHANGED: 0.6,
    NOT_ENOUGH_DATA: null,
    NO_VERDICT: null,
  }[verdict];
  return {
    baseline,
    candidate,
    delta: candidate - baseline,
    deltaPct,
    intervalPct,
    p,
    q: p === null ? null : Math.min(1, p * 2),
    verdict,
    minimumDetectablePct: hasInterval ? halfWidthPct * 1.7 : null,
    moreMinutesNeeded: verdict.startsWith('LIKELY') ? 40 : null,
    baselineSamples: Math.round(baseline > 0 ? samples : 0),
    candidateSamples: Math.round(candidate > 0 ? samples * 1.02 : 0),
  };
}

/** A comparison of the shop's two releases: rows of every verdict, a union tree with both sides. */
export function madeComparison(
  options: { kind?: 'flow' | 'level'; unchanged?: boolean; hostile?: boolean } = {},
): ComparisonResult {
  const { kind = 'flow', unchanged = false, hostile = false } = options;
  const tree = madeTree(7, 0.1);
  const random = seeded(5);
  if (hostile)
    tree.functions.forEach(
      (key, row) =>
        row > 0 &&
        row <= HOSTILE_NAMES.length &&
        tree.functions.splice(row, 1, { ...key, name: HOSTILE_NAMES[row - 1]!, file: `${HOSTILE_NAMES[row - 1]!}.js` }),
    );
  const couponRow = tree.functions.push({ name: 'checkCoupon', package: '', file: 'src/pricing/check-coupon.js' }) - 1;
  const factorOf = (row: number) =>
    unchanged ? 1 + 0.02 * (random() - 0.5) : (PLANTED[tree.functions[row]!.name]?.factor ?? 1 + 0.03 * (random() - 0.5));
  const factors = tree.functions.map((_, row) => factorOf(row));

  // A new function under priceCart, at the end of its subtree.
  const priceCart = tree.functions.findIndex(({ name }) => name === 'priceCart');
  const rows: { depth: number; name: number; a: number; b: number }[] = [];
  for (let row = 0; row < tree.depth.length; row += 1) {
    rows.push({
      depth: tree.depth[row]!,
      name: tree.name[row]!,
      a: tree.self[row]!,
      b: tree.self[row]! * factors[tree.name[row]!]!,
    });
    if (!unchanged && tree.name[row] === priceCart) rows.push({ depth: tree.depth[row]! + 1, name: couponRow, a: 0, b: 240 });
  }
  const sums = (side: 'a' | 'b') => {
    const totals = rows.map((row) => row[side]);
    const open: number[] = [];
    rows.forEach((row, index) => {
      open.length = row.depth;
      for (const above of open) totals[above]! += row[side];
      open.push(index);
    });
    return totals;
  };
  const [a, b] = [sums('a'), sums('b')];
  const confidenceOf = (name: string) =>
    unchanged || kind === 'level'
      ? kind === 'level'
        ? 0
        : 0.3
      : ({
          applyDiscounts: 1,
          priceCart: 0.9999,
          checkout: 0.999,
          scoreResults: 1,
          search: 0.9995,
          escapeExpression: 0.98,
          tokenize: 0.97,
          legacyRounding: 0.9999,
          checkCoupon: 0.9999,
        }[name] ?? 0.2 + 0.4 * random());
  const union: UnionTree = {
    depth: rows.map(({ depth }) => depth),
    functionRow: rows.map(({ name }, row) => (row === 0 ? -1 : name)),
    functions: tree.functions,
    baselineSelf: rows.map((row) => row.a),
    baselineTotal: a,
    candidateSelf: rows.map((row) => row.b),
    candidateTotal: b,
    confidence: rows.map(({ name }) => confidenceOf(tree.functions[name]!.name)),
    truncatedNodes: 212,
    truncatedValue: 3.1,
  };

  const selfOf = new Map<number, { a: number; b: number; route: Route | null }>();
  rows.forEach((row, index) => {
    const known = selfOf.get(row.name) ?? { a: 0, b: 0, route: tree.route[Math.min(index, tree.route.length - 1)] ?? null };
    selfOf.set(row.name, { a: known.a + row.a, b: known.b + row.b, route: known.route });
  });
  const functions: FunctionRow[] = [];
  const all = a[0]!;
  for (const [name, value] of selfOf) {
    const key = tree.functions[name]!;
    if (name === 0 || value.a + value.b < 1 || key.package === 'native') continue;
    const planted = unchanged ? undefined : PLANTED[key.name];
    const tiny = value.a < all * 0.002;
    const verdict: Verdict =
      kind === 'level'
        ? 'NO_VERDICT'
        : name === couponRow
          ? 'NEW'
          : (planted?.verdict ?? (tiny ? 'NOT_ENOUGH_DATA' : 'UNCHANGED'));
    const half = planted?.halfWidthPct ?? 3 + 12 * random();
    const samples = (value.a / all) * 48_000;
    const row = (transaction: string | null, scale: number, metric: FunctionRow['metric']): FunctionRow => ({
      function: key,
      metric,
      transaction,
      change: madeChange(value.a * scale, value.b * scale, verdict, half, samples),
      baselineShare: value.a / all,
      candidateShare: value.b / b[0]!,
    });
    if (planted?.transaction) functions.push(row(hostile ? HOSTILE_NAMES[0]! : planted.transaction, 6.4, 'self'));
    functions.push(row(null, 1, 'self'), row(null, 1.3, 'inclusive'));
  }
  const order = (verdict: Verdict) =>
    ['REGRESSED', 'IMPROVED', 'NEW', 'GONE', 'LIKELY_REGRESSED', 'LIKELY_IMPROVED'].indexOf(verdict) >>> 0;
  functions.sort(
    (one, other) =>
      order(one.change.verdict) - order(other.change.verdict) || Math.abs(other.change.delta) - Math.abs(one.change.delta),
  );

  const transactions = ROUTES.map((name, index): TransactionRow => {
    const cost = COST[name] * 4200;
    const factor = unchanged
      ? 1
      : ({ 'POST /checkout': 1.51, 'GET /search': 0.79 }[name as string] ?? 1 + 0.02 * (random() - 0.5));
    const verdict: Verdict =
      kind === 'level' ? 'NO_VERDICT' : factor > 1.2 ? 'REGRESSED' : factor < 0.9 ? 'IMPROVED' : 'UNCHANGED';
    return {
      transaction: hostile ? HOSTILE_NAMES[index]! : name,
      status: 'both',
      baselineCount: 42_000 - index * 5200,
      candidateCount: 40_800 - index * 4100,
      change: madeChange(cost, cost * factor, verdict, 2.5, 9000),
      mixPart: (index - 3) * 18,
      codePart: (cost * factor - cost) * 0.12,
      baselineDurationMicros: cost * 3.1,
      candidateDurationMicros: cost * 3.1 * (1 + (factor - 1) * 0.4),
    };
  });
  const coverRow = (name: string) => rows.findIndex((row) => tree.functions[row.name]!.name === name);
  const cover = (
    unchanged || hostile || kind === 'level' ? [] : (['applyDiscounts', 'scoreResults', 'checkCoupon', 'legacyRounding'] as const)
  ).map((name, index) => {
    const treeRow = coverRow(name);
    const path: string[] = [];
    for (let row = treeRow, level = rows[treeRow]!.depth; row > 0; row -= 1)
      if (rows[row]!.depth === level - 1) {
        level -= 1;
        if (level > 0) path.unshift(tree.functions[rows[row]!.name]!.name);
      }
    return {
      treeRow,
      function: tree.functions[rows[treeRow]!.name]!,
      path,
      delta: b[treeRow]! - a[treeRow]!,
      share: [0.51, 0.24, 0.08, 0.06][index]!,
      transaction: index === 1 ? 'GET /search' : 'POST /checkout',
      change: functions.find((row) => row.function.name === name)?.change ?? null,
    };
  });
  const side = (value: number, fromMs: number) => ({
    fromMs,
    untilMs: fromMs + 1_800_000,
    processes: 8,
    samples: 48_211,
    transactions: 186_400,
    processSeconds: 14_388,
    value: value * 4e6,
  });
  const stripVerdict: Verdict = kind === 'level' ? 'NO_VERDICT' : unchanged ? 'UNCHANGED' : 'REGRESSED';
  return {
    version: 1,
    algorithm: 'hearth-comparison-3',
    unit: kind === 'level' ? 'bytes' : 'microseconds',
    kind,
    basis: kind === 'level' ? 'per-process' : 'per-transaction',
    baseline: side(a[0]!, Date.UTC(2026, 10, 20, 9, 0)),
    candidate: side(b[0]!, Date.UTC(2026, 10, 20, 9, 30)),
    strip:
      kind === 'level'
        ? [{ metric: 'value', unit: 'bytes', change: madeChange(82e6, 91e6, 'NO_VERDICT', 0, 9000) }]
        : [
            {
              metric: 'value',
              unit: 'microseconds',
              change: madeChange(a[0]!, unchanged ? a[0]! * 1.002 : b[0]!, stripVerdict, 1.9, 48_000),
            },
            {
              metric: 'latency',
              unit: 'microseconds',
              change: madeChange(21_400, unchanged ? 21_420 : 23_100, unchanged ? 'UNCHANGED' : 'LIKELY_REGRESSED', 4.2, 48_000),
            },
            { metric: 'throughput', unit: 'transactions', change: madeChange(103.4, 101.9, 'NO_VERDICT', 0, 48_000) },
          ],
    variance: {
      df: 14,
      priorDf: 21.4,
      betweenProcessCv: 0.043,
      replicates: 'processes',
      functionsTested: 214,
      transactionsTested: 7,
    },
    mix:
      kind === 'level'
        ? null
        : {
            total: 182_000,
            volume: -31_000,
            mix: 42_000,
            code: 168_000,
            background: 3_000,
            newTransactions: 0,
            goneTransactions: 0,
          },
    cover,
    functions: functions
      .filter(({ metric }) => metric === 'self')
      .concat(functions.filter(({ metric }) => metric === 'inclusive')),
    transactions,
    belowExposure: { functions: 131, share: 0.021 },
    runtimeRows: [
      { name: '(garbage collector)', baseline: 620, candidate: 690 },
      { name: '(program)', baseline: 290, candidate: 288 },
    ],
    tree: union,
    warnings:
      kind === 'level'
        ? [{ code: 'NO_VERDICT_FOR_LEVELS', message: 'Levels are compared per process at like age, without a verdict.' }]
        : unchanged
          ? []
          : [
              {
                code: 'TRAFFIC_MIX_SHIFTED',
                message:
                  'POST /checkout is 18 % of the traffic now and was 12 %: costs are compared at the average mix of both sides.',
              },
            ],
  };
}
