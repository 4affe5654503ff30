import { NATIVE_PACKAGE, NODE_PACKAGE, type FunctionTable } from '@hearth/profile-model';
import type { Population } from './population.js';

/**
 * Of a thousand functions, so many are new under another name or in another file in each revision. Stacks are dozens of functions
 * deep: with this, a sixth to a third of the stacks of a release are new, as releases of real services have it (docs/decisions/0007).
 */
const NEW_PER_THOUSAND = 5;

const known = new WeakMap<Population, FunctionTable[]>();

/** The functions of a program in one of its revisions, in the same rows. */
export function functionsOfRevision(population: Population, revision: number): FunctionTable {
  const tables = known.get(population) ?? [population.functions];
  known.set(population, tables);
  for (let next = tables.length; next <= revision; next += 1) {
    const { length, name, package: packages, file } = tables[next - 1]!;
    const isNew = (row: number) =>
      packages[row] !== NATIVE_PACKAGE && packages[row] !== NODE_PACKAGE && hashOf(row, next) % 1_000 < NEW_PER_THOUSAND;
    tables.push({ length, package: packages, file, name: name.map((one, row) => (isNew(row) ? `${one}_${next}` : one)) });
  }
  return tables[revision]!;
}

function hashOf(row: number, revision: number): number {
  let hash = Math.imul(row + 1, 0x9e3779b1) ^ Math.imul(revision + 1, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return (hash ^ (hash >>> 15)) >>> 0;
}
