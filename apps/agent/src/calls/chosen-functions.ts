import type { CountCalls } from '../remote/read-commands.js';
import type { CountedScript } from './call-counter.js';

/** Functions that are told by name, most called first. */
export const MAX_FUNCTIONS = 1_000;

export interface CalledFunction {
  readonly name: string;
  readonly url: string;
  /** In the text of its script, UTF-16. */
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

export interface ChosenFunctions {
  /** Most called first. */
  readonly functions: readonly CalledFunction[];
  /** Those beyond `MAX_FUNCTIONS`. */
  readonly others: { readonly functions: number; readonly calls: number };
}

/**
 * The functions that a command asks for, of all that were called. A script's own body is none of them.
 *
 * @param ownFolder - File URL of the agent's own files, which are left out; '' if they cannot be told.
 */
export function chosenFunctions(
  scripts: readonly CountedScript[],
  { functions: names, files }: Pick<CountCalls, 'functions' | 'files'>,
  ownFolder: string,
): ChosenFunctions {
  const isAsked = names.length > 0 || files.length > 0;
  const found: CalledFunction[] = [];
  for (const { url, functions } of scripts) {
    const isOfAgent = ownFolder !== '' && url.startsWith(ownFolder);
    const path = decoded(url);
    const isWanted = isAsked ? files.length === 0 || files.some((part) => path.includes(part)) : isOwnCode(url);
    if (isOfAgent || !isWanted) continue;
    for (const { functionName: name, ranges } of functions) {
      const range = ranges[0];
      if (range === undefined || range.count <= 0 || (range.startOffset === 0 && name === '')) continue;
      if (names.length === 0 || names.some((wanted) => isNamed(name, wanted)))
        found.push({ name, url, startOffset: range.startOffset, endOffset: range.endOffset, count: range.count });
    }
  }
  found.sort((a, b) => b.count - a.count);
  const others = found.slice(MAX_FUNCTIONS);
  return {
    functions: found.slice(0, MAX_FUNCTIONS),
    others: { functions: others.length, calls: others.reduce((sum, { count }) => sum + count, 0) },
  };
}

/** Neither of Node nor of a package. */
function isOwnCode(url: string): boolean {
  return url !== '' && !url.startsWith('node:') && !url.includes('/node_modules/');
}

function isNamed(name: string, wanted: string): boolean {
  return wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted;
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}
