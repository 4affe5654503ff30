import { constants, promises } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodedUrl, inlineMap, isElsewhere, mappingUrl } from './mapping-url.js';

// As they are when the agent is loaded: later ones report to the recorder of waits, and these are not the host's.
const { lstat, open, realpath } = promises;

/** On the disk, with its sources. */
export const MAX_MAP_BYTES = 64 * 2 ** 20;
/** Of the end of a script: the comment that names its map is its last line. So long may an inline map be. */
const TAIL_BYTES = 2 ** 20;
export const SCRIPT = /\.[cm]?js$/;
/** No waiting for whoever writes to a pipe, no device that becomes the terminal; Windows has neither. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0) | (constants.O_NOCTTY ?? 0);

interface MapFile {
  readonly file: string;
  readonly sizeBytes: number;
}

/** On the disk, or what an inline one holds. */
export type FoundMap = MapFile | { readonly bytes: Buffer };

/** Why one that the script names is not sent. */
export interface MapFault {
  readonly why: string;
}

/** The path of a script as V8 names it; `undefined`: it is no plain file of JavaScript. */
export function scriptPath(scriptName: string): string | undefined {
  try {
    const file = scriptName.startsWith('file:') ? fileURLToPath(scriptName) : scriptName;
    return path.isAbsolute(file) && SCRIPT.test(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The map of a script: what its comment names, inline or beside it, else the file of its name with `.map`. Only a plain file whose name ends so, and which lies below the root,
 * or below the script's folder where the script is outside: a comment must not make us send any other file of this machine.
 *
 * @param rootDir - Of the program; '' if unknown.
 * @returns `undefined`: it has none.
 */
export async function findMap(script: string, rootDir: string): Promise<FoundMap | MapFault | undefined> {
  const real = await realpath(script);
  if (!SCRIPT.test(real)) return undefined;
  const tail = await readTail(real);
  const url = tail && mappingUrl(tail);
  if (url?.startsWith('data:')) {
    const bytes = inlineMap(url);
    return bytes === undefined ? { why: 'its inline source map cannot be read' } : { bytes };
  }
  if (url !== undefined && isElsewhere(url)) return { why: 'its source map is elsewhere' };
  const folder = path.dirname(real);
  const root = rootDir === '' ? folder : await realpath(rootDir);
  const boundary = isBelow(root, real) ? root : folder;
  const beside = `${real}.map`;
  let fault: MapFault | undefined;
  for (const candidate of url === undefined ? [beside] : [path.resolve(folder, decodedUrl(url)), beside]) {
    const found = await plainMap(candidate, boundary);
    if (found !== undefined && 'file' in found) return found;
    fault ??= found;
  }
  return fault ?? (url === undefined ? undefined : { why: 'its source map is missing' });
}

/** Opened for reading; what is no plain file, now or by the time that it is open, is refused. */
export async function openPlain(file: string): Promise<promises.FileHandle> {
  if (!(await lstat(file)).isFile()) throw new Error('it is no plain file');
  const handle = await open(file, READ);
  try {
    if (!(await handle.stat()).isFile()) throw new Error('it is no plain file');
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function plainMap(candidate: string, boundary: string): Promise<MapFile | MapFault | undefined> {
  let file: string;
  try {
    file = await realpath(candidate);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  if (!file.endsWith('.map') || !isBelow(boundary, file)) return { why: 'its source map is outside of the program' };
  const stat = await lstat(file);
  if (!stat.isFile()) return { why: 'its source map is no plain file' };
  if (stat.size > MAX_MAP_BYTES) return { why: `its source map has ${stat.size} bytes, ${MAX_MAP_BYTES} are sent` };
  return { file, sizeBytes: stat.size };
}

async function readTail(script: string): Promise<Buffer | undefined> {
  const handle = await openPlain(script);
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function isBelow(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== '' && relative.split(path.sep, 1)[0] !== '..' && !path.isAbsolute(relative);
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
