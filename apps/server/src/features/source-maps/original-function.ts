import { canonicalFunction, storableText } from '@hearth/profile-model';
import { decodedMappings, traceSegment, type SourceMapSegment, type TraceMap } from '@jridgewell/trace-mapping';

/** A function of generated code, as V8 reports it. */
export interface GeneratedFunction {
  readonly name: string;
  /** Of its definition, or of the line that ran. From 1; 0 is unknown. */
  readonly line: number;
  readonly column: number;
}

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
export function originalFunction(map: TraceMap, { name, line, column }: GeneratedFunction): OriginalFunction | undefined {
  if (line < 1) return undefined;
  const at = column < 1 ? onlySourceOfLine(map, line - 1) : traceSegment(map, line - 1, column - 1);
  const place = at && placeOf(map, at);
  if (!place) return undefined;
  return { name: column < 1 ? name : originalName(map, name, line - 1, column - 1), ...place };
}

function placeOf(map: TraceMap, segment: Segment): Omit<OriginalFunction, 'name'> | undefined {
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

function originalName(map: TraceMap, name: string, line: number, column: number): string {
  if (name === '' || name === ANONYMOUS) return ANONYMOUS;
  const parts = name.split('.');
  const token = parts.at(-1)!;
  const found = tokenBefore(map, token, line, column);
  const named = found && nameOf(map, found);
  if (named !== undefined) return storedName(named);
  // V8 calls a constructor by its class; its own token was given the name of the class when the map was stored.
  const constructor = tokenAt(map, CONSTRUCTOR, line, column - CONSTRUCTOR.length);
  const className = constructor && nameOf(map, constructor);
  if (className !== undefined) return storedName(className);
  return token.length <= MAX_MINIFIED_NAME ? ANONYMOUS : found === undefined ? name : token;
}

function tokenBefore(map: TraceMap, token: string, line: number, column: number): Segment | undefined {
  for (const distance of DISTANCES) {
    const found = tokenAt(map, token, line, column - distance - token.length);
    if (found !== undefined) return found;
  }
  return undefined;
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
