import { readFile, stat } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CalledFunction } from './chosen-functions.js';

/** Read with callbacks: what is read so is no wait of the host. */
const [read, statOf] = [promisify(readFile), promisify(stat)];

/** Of one script; a larger one is not read. */
const MAX_FILE_BYTES = 16 * 2 ** 20;
/** Of all that is read for one command. */
const MAX_READ_CHARACTERS = 64 * 2 ** 20;

/** Where a function is defined, and whether V8 counts more than its calls. */
export interface DefinitionPlace {
  /** As V8's profilers name it, from 1; 0 is unknown. */
  readonly line: number;
  readonly column: number;
  /** `entries`: of an async function or a generator, each time that it is resumed counts too. `unknown`: its text could not be read. */
  readonly counts: 'calls' | 'entries' | 'unknown';
}

const UNKNOWN: DefinitionPlace = { line: 0, column: 0, counts: 'unknown' };
/** What is looked at of a function to find its parameters. */
const MAX_HEAD = 400;

/** Reads the scripts of these functions from the disk, one after the other. Never rejects. @returns In their order. */
export async function definitionPlaces(functions: readonly CalledFunction[]): Promise<DefinitionPlace[]> {
  const texts = new Map<string, ScriptText | undefined>();
  const places: DefinitionPlace[] = [];
  let left = MAX_READ_CHARACTERS;
  for (const called of functions) {
    const { url } = called;
    if (!texts.has(url)) {
      texts.set(url, left > 0 ? await readScript(url) : undefined);
      left -= texts.get(url)?.text.length ?? 0;
    }
    const text = texts.get(url);
    places.push(text === undefined ? UNKNOWN : placeIn(text, called));
  }
  return places;
}

interface ScriptText {
  readonly text: string;
  /** Offsets at which its lines begin. */
  readonly lineStarts: readonly number[];
}

async function readScript(url: string): Promise<ScriptText | undefined> {
  try {
    const path = url.startsWith('file:') ? fileURLToPath(url.replace(/[?#].*$/s, '')) : url;
    const { size } = await statOf(path);
    if (size > MAX_FILE_BYTES) return undefined;
    const text = (await read(path, 'utf8')).replace(/^\ufeff/, '');
    const lineStarts = [0];
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1);
    return { text, lineStarts };
  } catch {
    return undefined; // no file: code of Node, or made while it ran
  }
}

/**
 * Coverage begins a function where its text begins (`async`, `function`, `*`, its name); profilers say where its parameters do, which of arrow functions and of
 * the initialisers of classes is the same place.
 */
export function placeIn(
  { text, lineStarts }: ScriptText,
  { name, startOffset, endOffset }: Pick<CalledFunction, 'name' | 'startOffset' | 'endOffset'>,
): DefinitionPlace {
  const head = text.slice(startOffset, Math.min(endOffset, startOffset + MAX_HEAD));
  const [keywords = '', async, keyword, star] = HEAD.exec(head) ?? [];
  const isArrow = keyword === undefined && star === undefined && ARROW.test(head.slice(keywords.length));
  const at = isArrow || name === CLASS_INITIALISER ? 0 : head.indexOf('(', keywords.length);
  if (at === -1) return UNKNOWN;
  // A loader may have changed the text before V8 saw it: then something else stands there.
  const between = head.slice(keywords.length, at).trim();
  const isNamed =
    between === '' ? keyword !== undefined : [name.replace(/^[gs]et /, ''), 'constructor'].some((one) => between.includes(one));
  if (isArrow ? !head.includes('=>') : text[endOffset - 1] !== '}' || (at > 0 && !isNamed)) return UNKNOWN;
  const offset = startOffset + at;
  const line = lineOf(lineStarts, offset);
  const counts = async === undefined && star === undefined ? 'calls' : 'entries';
  return { line, column: offset - lineStarts[line - 1]! + 1, counts };
}

const HEAD = /^(async\s+|async(?=\())?(function\b)?\s*(\*)?\s*/;
const ARROW = /^(?:\(|[\p{ID_Start}$_][\p{ID_Continue}$]*\s*=>)/u;
const CLASS_INITIALISER = '<instance_members_initializer>';

/** From 1. */
function lineOf(lineStarts: readonly number[], offset: number): number {
  let [low, high] = [0, lineStarts.length];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (lineStarts[middle]! <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}
