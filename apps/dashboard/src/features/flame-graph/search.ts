import type { FlameTree } from './flame-tree.js';
import type { FlameLayout } from './layout.js';

/** What a search found. */
export interface FlameMatches {
  /** By row of `functions`: 1 where the function matches. */
  readonly functionMatches: Uint8Array;
  /** Number of matching functions that the graph contains. */
  readonly functions: number;
  /** Length rows + 1, by place: matching frames before it, so that a run can tell whether it hides one. */
  readonly matchesBefore: Uint32Array;
  /** Share of the whole graph that lies in a matching frame, each value counted once, 0..1. In a comparison one per side. */
  readonly share: number;
  readonly baselineShare: number | null;
  readonly candidateShare: number | null;
}

/** A part of a name, file or package, in any case; between slashes a regular expression. `undefined`: nothing to search, or not a pattern. */
export function parseSearch(text: string): ((value: string) => boolean) | undefined {
  if (text === '') return undefined;
  const pattern = /^\/(.+)\/$/.exec(text)?.[1];
  if (pattern !== undefined) {
    try {
      const regexp = new RegExp(pattern, 'i');
      return (value) => regexp.test(value);
    } catch {
      return undefined;
    }
  }
  const part = text.toLowerCase();
  return (value) => value.toLowerCase().includes(part);
}

/** Matches of a text, or of one selected function. */
export function matchFrames(
  tree: FlameTree,
  layout: FlameLayout,
  search: string,
  selectedFunction: string,
): FlameMatches | undefined {
  const matches = parseSearch(search);
  if (!matches && selectedFunction === '') return undefined;
  const functionMatches = Uint8Array.from(tree.functions, ({ name, package: packageName, file }, row) =>
    Number(matches ? matches(name) || matches(file) || matches(packageName) : tree.hashes[row] === selectedFunction),
  );
  functionMatches[tree.functions.length - 2] = 0; // the root is no function
  return {
    functionMatches,
    functions: countMatching(tree, functionMatches),
    matchesBefore: countByPlace(tree, layout, functionMatches),
    share: shareOf(tree, functionMatches, layout.total),
    baselineShare: tree.sides && shareOf(tree, functionMatches, tree.sides.baselineTotal),
    candidateShare: tree.sides && shareOf(tree, functionMatches, tree.sides.candidateTotal),
  };
}

function countMatching(tree: FlameTree, functionMatches: Uint8Array): number {
  const seen = new Set<number>();
  for (const row of tree.functionRow) if (functionMatches[row]) seen.add(row);
  return seen.size;
}

function countByPlace(tree: FlameTree, layout: FlameLayout, functionMatches: Uint8Array): Uint32Array {
  const before = new Uint32Array(tree.depth.length + 1);
  for (let place = 0; place < tree.depth.length; place += 1) {
    before[place + 1] = before[place]! + functionMatches[tree.functionRow[layout.rowAt[place]!]!]!;
  }
  return before;
}

/** A matching frame under another matching frame adds nothing: its value is already counted. */
function shareOf(tree: FlameTree, functionMatches: Uint8Array, total: Float64Array): number {
  let matched = 0;
  for (let row = 0; row < tree.depth.length; row += 1) {
    if (!functionMatches[tree.functionRow[row]!]) continue;
    matched += total[row]!;
    const depth = tree.depth[row]!;
    while (row + 1 < tree.depth.length && tree.depth[row + 1]! > depth) row += 1;
  }
  return total[0] ? matched / total[0] : 0;
}
