import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { decodedUrl, inlineMap, isElsewhere, mappingUrl } from '../../../agent/src/source-maps/mapping-url.js';

/** A generated file and its map. */
export interface FoundMap {
  /** Of the generated file; relative to the root, with `/`. */
  readonly file: string;
  /** Where the map was: a path relative to the root, or `inline`. */
  readonly from: string;
  /** JSON. */
  readonly bytes: Buffer;
  /** Why it must not be sent; absent: it may be. */
  readonly refusal?: string;
}

export interface FoundMaps {
  /** By file. */
  readonly maps: readonly FoundMap[];
  /** Folders that cannot be read, and scripts that have no map, or one that cannot be read; relative to the root. */
  readonly without: readonly { readonly file: string; readonly why: string }[];
}

const SCRIPT = /\.[cm]?js$/;
const SKIPPED_FOLDERS = new Set(['node_modules', '.git']);
/** Of a script or map: larger ones are no build of a service, and are not read. */
const MAX_FILE_BYTES = 256 * 2 ** 20;
const MAX_SCRIPTS = 20_000;

/** All maps of the scripts below `dir`. @param root - An absolute folder around `dir`. @throws Where `dir` itself cannot be read. */
export function findMaps(dir: string, root: string): FoundMaps {
  const maps: FoundMap[] = [];
  const without: { file: string; why: string }[] = [];
  const scripts = listScripts(dir, (folder, error) =>
    without.push({ file: relativePath(root, folder), why: `the folder ${unreadable(error)}` }),
  );
  for (const script of scripts) {
    const file = relativePath(root, script);
    const found = mapOf(script, root);
    if ('why' in found) without.push({ file, why: found.why });
    else maps.push({ file, ...found });
  }
  return { maps, without };
}

/** In the order of their names. Links are not followed: what they lead to is found where it is, or is not of this build. */
function listScripts(dir: string, onClosed: (folder: string, error: unknown) => void): string[] {
  const scripts: string[] = [];
  const open = [dir];
  for (let folder = open.pop(); folder !== undefined && scripts.length < MAX_SCRIPTS; folder = open.pop()) {
    for (const entry of entriesOf(folder)) {
      if (entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name)) open.push(path.join(folder, entry.name));
      else if (entry.isFile() && SCRIPT.test(entry.name)) scripts.push(path.join(folder, entry.name));
    }
  }
  return scripts.sort().slice(0, MAX_SCRIPTS);

  function entriesOf(folder: string): Dirent[] {
    try {
      return readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      if (folder === dir) throw error;
      onClosed(folder, error);
      return [];
    }
  }
}

function mapOf(script: string, root: string): Omit<FoundMap, 'file'> | { why: string } {
  const code = readBounded(script);
  if (code instanceof Error) return { why: unreadable(code) };
  if (code === undefined) return { why: 'too large to be read' };
  const url = mappingUrl(code);
  if (url?.startsWith('data:')) {
    const bytes = inlineMap(url);
    return bytes === undefined ? { why: 'its inline source map cannot be read' } : { from: 'inline', bytes };
  }
  if (url !== undefined && isElsewhere(url)) return { why: `its source map is elsewhere: ${url.slice(0, 100)}` };
  const beside = `${script}.map`;
  let missing = 'is missing';
  for (const candidate of url === undefined ? [beside] : [path.resolve(path.dirname(script), decodedUrl(url)), beside]) {
    // A comment must not make us send any other file of this machine.
    const place = relativePath(root, candidate);
    if (!candidate.endsWith('.map') || place.startsWith('../')) continue;
    const bytes = readBounded(candidate);
    if (bytes instanceof Error) missing = unreadable(bytes);
    else if (bytes !== undefined) return { from: place, bytes };
  }
  if (url !== undefined) return { why: `its source map ${missing}: ${url.slice(0, 100)}` };
  return { why: missing === 'is missing' ? 'no source map' : `its source map ${missing}` };
}

/** `undefined` where there is no such file, or a larger one. */
function readBounded(file: string): Buffer | Error | undefined {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat?.isFile() && stat.size <= MAX_FILE_BYTES ? readFileSync(file) : undefined;
  } catch (error) {
    return error as Error; // no permission, or no name that a file can have: what a script says may be anything
  }
}

export function unreadable(error: unknown): string {
  return `cannot be read (${(error as NodeJS.ErrnoException).code})`;
}

function relativePath(root: string, file: string): string {
  return path.relative(root, file).split(path.sep).join('/');
}
