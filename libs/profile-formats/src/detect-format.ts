import { FormatError } from './errors.js';

export type DetectedFormat =
  | { readonly format: 'pprof' }
  | { readonly format: 'folded'; readonly text: string }
  | { readonly format: 'cpuprofile'; readonly json: object };

/** Bytes looked at to tell text from binary, and to find a foreign format's first words. */
const HEAD_BYTES = 512;
// eslint-disable-next-line no-control-regex
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f]/;

/** Formats that are known and not read, by how they begin. Without this list some of them would pass for folded stacks or pprof. */
const FOREIGN: readonly (readonly [name: string, start: RegExp])[] = [
  [
    'pprof in its old text form (before protobuf)',
    /^(--- (contentionz|threadz|heapz|growthz)|heap profile:|heapz? v2|goroutine profile:|threadcreate profile:)/,
  ],
  ['pprof in its old binary form (before protobuf)', /^(\0{4}\x03\0{3}\0{4}|\0{8}\x03\0{7}\0{8})/],
  ['Java Flight Recorder', /^FLR\0/],
  ['Austin (MOJO)', /^MOJ/],
  ['Austin', /^# (austin|mode|interval): |^Thread [0-9a-f]{8,};|^P\d+;T/],
  ['gprof', /^gmon|^(Flat profile:|\s*Call graph)/],
  ['Python cProfile (pstats)', /^[{\xfb][(\xa8\xa9]/],
  ['Python pickle, as of line_profiler', /^\x80[\x02-\x05]/],
  ['callgrind', /^(# callgrind format|version: \d|(events|positions|creator|cmd|pid|desc): )/m],
  ['a V8 heap snapshot', /^\{"snapshot":/],
];

/** @throws {FormatError} `FORMAT_EMPTY`, `FORMAT_UNKNOWN`, `FORMAT_UNSUPPORTED`, `CPUPROFILE_JSON` */
export function detectFormat(bytes: Uint8Array): DetectedFormat {
  if (bytes.length === 0) throw new FormatError('FORMAT_EMPTY', 'no bytes');
  const head = String.fromCharCode(...bytes.subarray(0, HEAD_BYTES));
  for (const [name, start] of FOREIGN) {
    if (start.test(head)) throw new FormatError('FORMAT_UNSUPPORTED', `this is ${name}, which is not read yet`);
  }
  const encoding = /^\xff\xfe/.test(head) ? 'utf-16le' : /^\xfe\xff/.test(head) ? 'utf-16be' : 'utf-8';
  // Every message of protobuf holds such bytes: its field numbers and lengths.
  if (encoding === 'utf-8' && CONTROL.test(head)) return { format: 'pprof' };
  const text = new TextDecoder(encoding).decode(bytes); // drops the byte order mark; what is no UTF-8 becomes U+FFFD
  if (text.trim() === '') throw new FormatError('FORMAT_EMPTY', 'nothing but spaces');
  // A folded stack may begin with "[unknown];", JSON cannot.
  return /^\s*(\{|\[\s*[[{"\]])/.test(text) ? { format: 'cpuprofile', json: cpuprofileJson(text) } : { format: 'folded', text };
}

function cpuprofileJson(text: string): object {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FormatError('CPUPROFILE_JSON', `not JSON: ${(error as Error).message.slice(0, 200)}`, { cause: error });
  }
  const has = (...keys: string[]): boolean =>
    typeof json === 'object' && json !== null && keys.every((key) => Object.hasOwn(json, key));
  const foreign =
    has('traceEvents') || Array.isArray(json) ? 'a Chrome trace, or a list'
    : has('shared', 'profiles') || has('$schema') ? 'speedscope'
    : has('frame_records') || has('root_frame') || has('frame_tree') ? 'pyinstrument'
    : has('snapshot') ? 'a V8 heap snapshot'
    : has('meta', 'threads') || has('profile') ? 'Firefox Profiler'
    : has('task_uuid') ? 'Eliot'
    : has('resourceProfiles') ? 'OTLP'
    : has('head') && isHeapHead((json as { head: unknown }).head) ? 'a V8 heap profile'
    : undefined; // prettier-ignore
  if (foreign !== undefined) throw new FormatError('FORMAT_UNSUPPORTED', `this is ${foreign}, which is not read yet`);
  if (!has('nodes') && !has('head')) throw new FormatError('FORMAT_UNKNOWN', 'JSON of no known profile format');
  return json as object;
}

/** The older .cpuprofile has a `head` too, without `callFrame`. */
function isHeapHead(head: unknown): boolean {
  return typeof head === 'object' && head !== null && Object.hasOwn(head, 'callFrame');
}
