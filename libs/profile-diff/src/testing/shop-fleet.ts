import type { ComparisonInput } from '../comparison-input.js';
import type { ComparisonResult, FunctionRow } from '../comparison-result.js';
import { EVIDENCE, evidenceOf } from '../evidence.js';
import { describedFleet, type FleetDescription, type SideDescription } from './described-fleet.js';

/** Thirty functions that never change, so that a comparison has something to learn variation from. */
export const others = Object.fromEntries(
  Array.from({ length: 30 }, (_, row) => [`handle > other${row}`, { 'GET /': 0.3 + row / 30 }]),
);

/** The baseline of most tests of `compare`: two transactions, two functions of its own, work in the background. */
export const shop: SideDescription = {
  processes: 4,
  windows: 6,
  traffic: { 'GET /': 1000, 'POST /order': 200 },
  cost: { ...others, 'handle > price': { 'GET /': 1 }, 'order > save': { 'POST /order': 3 }, 'poll > check': { second: 2 } },
};

/** The shop, and the shop with a change. */
export function changed(change: Partial<SideDescription>, fleet: Partial<FleetDescription> = {}): ComparisonInput {
  return describedFleet({ baseline: shop, candidate: { ...shop, ...change }, ...fleet });
}

/** One program without transactions; `price` at the given cost in the candidate. */
export function withoutTransactions(price: number): ComparisonInput {
  const cost = (ofPrice: number) => ({
    ...Object.fromEntries(Object.keys(others).map((stack, row) => [stack, { second: 2 + row / 10 }])),
    ...(ofPrice > 0 ? { 'handle > price': { second: 30 * ofPrice } } : {}),
  });
  return describedFleet({
    baseline: { ...shop, traffic: {}, cost: cost(1) },
    candidate: { ...shop, traffic: {}, cost: cost(price) },
  });
}

export function rowOf(
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
export function told(result: ComparisonResult): string[] {
  return result.functions
    .filter(({ change }) => evidenceOf(change.verdict) <= EVIDENCE.appearance)
    .map((row) => `${row.function.name} ${row.metric} ${row.transaction} ${row.change.verdict}`);
}
