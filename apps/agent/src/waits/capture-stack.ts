import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ownFolder } from '../safety/own-place.js';
import type { RawFunction } from '../samplers/stack-tables.js';

/** What V8 remembers of a stack: its text is never made, its frames are looked at only if they are wanted. */
export interface CapturedStack {
  stack?: unknown;
}

/** Functions of one stack that are kept, those nearest to the operation. */
export const MAX_WAIT_FRAMES = 16;
/** Frames that are captured: libraries put some of their own between the caller and the operation. */
const CAPTURED_FRAMES = 32;

/**
 * Remembers who calls, across awaits, without making text of it. `Error.stackTraceLimit` is as before afterwards; where the host has made
 * it something that cannot be set, its own limit holds.
 *
 * @param hideAbove - The innermost function that is left out, with all that it called.
 */
export function captureStack(hideAbove: (...args: never[]) => unknown): CapturedStack {
  const captured: CapturedStack = {};
  const restore = exchange('stackTraceLimit', CAPTURED_FRAMES);
  try {
    Error.captureStackTrace(captured, hideAbove);
  } finally {
    restore?.();
  }
  return captured;
}

/**
 * The functions of a captured stack, the outermost first; the agent's own, and Node's next to the operation, are left out. Empty where the host has fixed
 * `Error.prepareStackTrace`: asking then would run its code.
 */
export function functionsOfStack(captured: CapturedStack): RawFunction[] {
  const restore = exchange('prepareStackTrace', (_error: Error, sites: NodeJS.CallSite[]) => sites);
  if (restore === undefined) return [];
  let sites: unknown;
  try {
    sites = captured.stack; // V8 calls the hook at the first look
  } finally {
    restore();
  }
  return Array.isArray(sites) ? functionsOfSites(sites as NodeJS.CallSite[]) : [];
}

/** @param sites - The innermost first. */
function functionsOfSites(sites: readonly NodeJS.CallSite[]): RawFunction[] {
  const functions: RawFunction[] = [];
  for (const site of sites) {
    const scriptName = site.getFileName() ?? '';
    // A builtin between two functions, as Promise.all, has no script; the sampler does not see it either.
    if (scriptName === '' || isOurs(scriptName) || (functions.length === 0 && scriptName.startsWith('node:'))) continue;
    functions.push({ name: site.getFunctionName() ?? '', scriptName, ...definitionPlace(site) });
    if (functions.length === MAX_WAIT_FRAMES) break;
  }
  return functions.reverse();
}

/** How names of the agent's own scripts begin: those of ES modules are URLs, others paths. None where a host's bundle has taken the agent in. */
const OUR_BEGINNINGS = beginningsIn(ownFolder(import.meta.url));

function beginningsIn(folder: string | undefined): string[] {
  return folder === undefined ? [] : [`${folder}${path.sep}`, `${pathToFileURL(folder).href}/`];
}

/** `transaction()` and what it calls would fill half of every stack. */
function isOurs(scriptName: string): boolean {
  return OUR_BEGINNINGS.some((beginning) => scriptName.startsWith(beginning));
}

/** What V8 adds to what Node's types know of. */
type PlaceOfSite = Partial<Record<'getEnclosingLineNumber' | 'getEnclosingColumnNumber', () => number | null>>;

/** Where the function begins: the sampler's line, and the column of its first word, where the sampler has that of its parameters. 0 where this V8 does not tell. */
function definitionPlace(site: NodeJS.CallSite & PlaceOfSite): { line: number; column: number } {
  return { line: site.getEnclosingLineNumber?.() ?? 0, column: site.getEnclosingColumnNumber?.() ?? 0 };
}

/**
 * Sets a property of `Error`.
 *
 * @returns What puts the old one back; `undefined` where it was not set: the property is a getter, or cannot be written or made.
 */
function exchange(name: 'stackTraceLimit' | 'prepareStackTrace', value: unknown): (() => void) | undefined {
  const before = Object.getOwnPropertyDescriptor(Error, name);
  if (before === undefined) {
    const ours = { value, writable: true, enumerable: true, configurable: true };
    return Reflect.defineProperty(Error, name, ours) ? () => void Reflect.deleteProperty(Error, name) : undefined;
  }
  if (before.writable !== true) return undefined;
  const old: unknown = before.value;
  return Reflect.set(Error, name, value) ? () => void Reflect.set(Error, name, old) : undefined;
}
