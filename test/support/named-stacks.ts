import { expect } from 'vitest';
import { functionsRootFirst, type FunctionTable, type StackTable } from '@hearth/profile-model';
import type { EpochKey } from '../../apps/server/src/features/stacks/epoch.js';
import type { StackDictionaries } from '../../apps/server/src/features/stacks/index.js';

export interface NamedStacks {
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  /** Every path and every start of one, as `main` of `main>read`. */
  readonly rowOfPath: ReadonlyMap<string, number>;
}

/** Stacks drawn as paths, `['main', 'main>read']`, as an agent would send them; the empty path is no stack. */
export function stackTableOf(paths: readonly string[]): NamedStacks {
  const names: string[] = [];
  const parent: number[] = [];
  const functionRow: number[] = [];
  const rowOfPath = new Map<string, number>();
  for (const path of paths) {
    const parts = path === '' ? [] : path.split('>');
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const prefix = parts.slice(0, depth).join('>');
      if (rowOfPath.has(prefix)) continue;
      const name = parts[depth - 1]!;
      if (!names.includes(name)) names.push(name);
      rowOfPath.set(prefix, parent.push(depth === 1 ? -1 : rowOfPath.get(parts.slice(0, depth - 1).join('>'))!) - 1);
      functionRow.push(names.indexOf(name));
    }
  }
  const empty = names.map(() => '');
  return {
    functions: { length: names.length, name: names, package: empty, file: empty },
    stacks: { length: parent.length, parent: Int32Array.from(parent), functionRow: Uint32Array.from(functionRow) },
    rowOfPath,
  };
}

export const stackPath = ({ functions, stacks }: Pick<NamedStacks, 'functions' | 'stacks'>, id: number) =>
  functionsRootFirst(stacks, id)
    .map((row) => functions.name[row])
    .join('>');

/** Fails unless every path leads back to itself. @returns How many were checked. */
export async function checkStackPaths(
  owner: StackDictionaries,
  of: EpochKey,
  ids: Int32Array,
  rowOfPath: ReadonlyMap<string, number>,
): Promise<number> {
  const tables = await owner.snapshot(of);
  for (const [path, row] of rowOfPath) expect(stackPath(tables, ids[row]!)).toBe(path);
  return rowOfPath.size;
}
