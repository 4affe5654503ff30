import { canonicalFunction, storableText } from '@hearth/profile-model';
import { decodedMappings, traceSegment, type SourceMapSegment, type TraceMap } from '@jridgewell/trace-mapping';

/** A function of generated code, as V8 reports it. */
export interface GeneratedFunction {
  readonly name: string;
  /** Of its definition, or of the line that ran. From 1; 0 is unknown. */
  readonly line: number;
  readonly column: number;
  /**
   * Which place of a function it is. `parameters`: the bracket before its parameters, or the first word of an arrow function, as samplers report it; `first-word`: where its code
   * begins, as call sites of errors report it.
   */
  readonly at: FunctionPlace;
}

export type FunctionPlace = 'parameters' | 'first-word';

/** The same in its source. */
export interface OriginalFunction {
  readonly name: string;
  readonly package: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

type Segment = Readonly<SourceMapSegment>;

const ANONYMOUS = '(anonymous)';
const MAX_NAME = 500;
const MAX_FILE = 1_000;
/** Of names that minifiers give. A longer one was in the source. */
const MAX_MINIFIED_NAME = 2;
/** Between a name and what is assigned to it: `=`, `: `, ` = `. */
const ASSIGNED = [1, 2, 3];
/** What the code of a function may begin with, before its name. */
const KEYWORDS = ['function ', 'function* ', 'async ', 'async function ', 'async function* '];
/** Of a line whose functions are told by it alone. */
const MAX_LINE_SEGMENTS = 200;
const CONSTRUCTOR = 'constructor';
/**
 * What stands between the name of a function and the place that V8 reports, which is the bracket before its parameters, or the first of what an arrow function
 * begins with: nothing (`f(`), or one of `=`, `: `, ` = `, `=function`, `=async function*` and so on. Its lengths, the shortest first.
 */
const DISTANCES = [0, 1, 2, 3, 9, 10, 11, 12, 15, 16, 17, 18];

/**
 * Where a function of generated code comes from, and what it is called there; `undefined` where the map does not say.
 *
 * A name cannot simply be asked for at the place of the function: there a map names a parameter, or what stood before. So the token of the name itself is looked
 * for, where it must begin if it is as long as the name that V8 reports. A minified name that cannot be told becomes `(anonymous)`: in the next build it would
 * be another.
 */
export function originalFunction(
  map: TraceMap,
  { name, line, column, at: place }: GeneratedFunction,
): OriginalFunction | undefined {
  if (line < 1) return undefined;
  const segment = column < 1 ? onlySourceOfLine(map, line - 1) : traceSegment(map, line - 1, column - 1);
  const original = segment && originalPlace(map, segment);
  if (!original) return undefined;
  return { name: column < 1 ? name : originalName(map, name, { line: line - 1, column: column - 1, place }), ...original };
}

function originalPlace(map: TraceMap, segment: Segment): Omit<OriginalFunction, 'name'> | undefined {
  if (segment.length === 1) return undefined;
  const source = map.sources[segment[1]];
  if (typeof source !== 'string' || source === '' || !(segment[2] >= 0)) return undefined;
  return { ...sourceFile(source), line: segment[2] + 1 };
}

/** Of several sources on one line none can be said to be meant without a column; nor of a line so long that somebody has minified it. */
function onlySourceOfLine(map: TraceMap, line: number): Segment | undefined {
  const segments = (decodedMappings(map)[line] ?? []).slice(0, MAX_LINE_SEGMENTS + 1).filter((segment) => segment.length > 1);
  const sources = new Set(segments.map(([, source]) => source));
  return sources.size === 1 && segments.length <= MAX_LINE_SEGMENTS ? segments[0] : undefined;
}

/** Lines and columns from 0. */
interface Spot {
  readonly line: number;
  readonly column: number;
  readonly place: FunctionPlace;
}

function originalName(map: TraceMap, name: string, spot: Spot): string {
  if (name === '' || name === ANONYMOUS) return ANONYMOUS;
  const token = name.split('.').at(-1)!;
  const found = spot.place === 'parameters' ? tokenBefore(map, token, spot, DISTANCES) : tokenAround(map, token, spot);
  const named = found && nameOf(map, found);
  if (named !== undefined) return storedName(named);
  // V8 calls a constructor by its class; its own token was given the name of the class when the map was stored.
  const start = spot.place === 'parameters' ? spot.column - CONSTRUCTOR.length : spot.column;
  const constructor = tokenAt(map, CONSTRUCTOR, spot.line, start);
  const className = constructor && nameOf(map, constructor);
  if (className !== undefined) return storedName(className);
  return token.length <= MAX_MINIFIED_NAME ? ANONYMOUS : found === undefined ? name : token;
}

function tokenBefore(map: TraceMap, token: string, { line, column }: Spot, distances: readonly number[]): Segment | undefined {
  for (const distance of distances) {
    const found = tokenAt(map, token, line, column - distance - token.length);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Behind a keyword that the function begins with, or before what is assigned, or the first word itself, as of a method. */
function tokenAround(map: TraceMap, token: string, spot: Spot): Segment | undefined {
  const { line, column } = spot;
  for (const keyword of KEYWORDS) {
    const first = tokenAt(map, keyword, line, column);
    if (first === undefined || nameOf(map, first) !== undefined) continue;
    const found = tokenAt(map, token, line, column + keyword.length);
    if (found !== undefined && nameOf(map, found) !== undefined) return found;
  }
  const assigned = tokenBefore(map, token, spot, ASSIGNED);
  return assigned !== undefined && nameOf(map, assigned) !== undefined ? assigned : tokenAt(map, token, line, column);
}

/** Of the token that begins there, if one does: none begins within another. */
function tokenAt(map: TraceMap, token: string, line: number, column: number): Segment | undefined {
  if (column < 0) return undefined;
  const segment = traceSegment(map, line, column);
  const isWhole = segment !== null && segment[0] === column && traceSegment(map, line, column + token.length - 1) === segment;
  return isWhole ? segment : undefined;
}

function nameOf(map: TraceMap, segment: Segment): string | undefined {
  return segment.length === 5 ? map.names[segment[4]] : undefined;
}

const storedName = (name: string): string => storableText(name.slice(0, MAX_NAME));

/** A source above the root of the program is outside, as an absolute one is. */
function sourceFile(source: string): { package: string; file: string } {
  const storable = storableText(source.slice(0, MAX_FILE));
  const inside = storable.replace(/^(?:\.\.\/)+/, '');
  const { package: packageName, file } = canonicalFunction(
    { name: '', scriptName: inside === storable ? storable : `/${inside}` },
    '',
  );
  return { package: packageName, file };
}
