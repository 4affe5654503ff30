import { createHash } from 'node:crypto';
import { COMPARISON_ALGORITHM } from '@hearth/profile-diff';
import type { ResolvedSelection } from '@hearth/query-contract';
import type { ComparisonKey } from './comparison.repository.js';

/** A side and what it was made of when it was asked for. */
export interface IdentifiedSide {
  readonly selection: ResolvedSelection;
  /** Changes when data arrives in the selection's windows. */
  readonly inputVersion: string;
}

/**
 * The same question has the same id while its inputs are unchanged. The service comes first, so that the row is found by its key.
 */
export function comparisonId(serviceId: number, baseline: IdentifiedSide, candidate: IdentifiedSide): string {
  const question = [
    COMPARISON_ALGORITHM,
    ...[baseline, candidate].map((side) => [sortedEntries(side.selection), side.inputVersion]),
  ];
  return `c${serviceId}-${createHash('sha256').update(JSON.stringify(question)).digest('hex').slice(0, 24)}`;
}

/** The key behind an id that somebody sent; `undefined` if it is no id. */
export function parseComparisonId(id: string): ComparisonKey | undefined {
  const match = /^c(\d{1,15})-[0-9a-f]{24}$/.exec(id);
  return match ? { serviceId: Number(match[1]), id } : undefined;
}

/** `maxNodes` is left out: a comparison has a limit of its own. */
function sortedEntries(selection: ResolvedSelection): [string, unknown][] {
  return Object.entries(selection)
    .filter(([name, value]) => name !== 'maxNodes' && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
