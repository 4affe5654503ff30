import { FormatError } from './errors.js';

export type DetectedFormat =
  | { readonly format: 'pprof' }
  | { readonly format: 'folded'; readonly text: string }
  | { readonly format: 'cpuprofile'; readonly json: object };

/** Bytes looked at to tell text from binary, and to find a foreign format's first words. */
const HEAD_BYTES = 512;
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f]/;

type ForeignFormat = readonly [name: string, start: RegExp];

// oxlint-disable no-control-regex -- binary formats begin with them
/** Formats that are known and not read, by how they begin. Without these lists some of them would pass for pprof or folded stacks. */
const FOREIGN_BINARY: readonly ForeignFormat[] = [
  ['pprof in its old form (before protobuf), or vmprof', /^(\0{4}\x03\0{3}\0{4}|\0{8}\x03\0{7}\0{8})/],
  ['Java Flight Recorder', /^FLR\0/],
  ['Austin (MOJO)', /^MOJ/],
  ['gprof', /^gmon/],
  ['Python cProfile (pstats)', /^[{\xfb][()\xa8\xa9]/],
  ['Python pickle, as of line_profiler', /^\x80[\x02-\x05]/],
];
// oxlint-enable no-control-regex
const FOREIGN_TEXT: readonly ForeignFormat[] = [
  ['pprof in its old form (before protobuf)', /^(--- \w+z|heap profile:|heapz? v2|goroutine profile:|threadcreate profile:)/],
  ['Austin', /^# (austin|mode|interval): |^Thread [0-9a-f]{8,};|^P\d+;T/],
  ['gprof', /^(Flat profile:|\s*Call graph|index\s+% )/],
  ['callgrind', /^(# callgrind format|version: \d|(events|positions|creator|cmd|pid|desc): )/m],
  // comm, pid or pid/tid, perhaps a CPU, then the time
  ['perf script', /^\S.* \d+(\/\d+)?\s+(\[\d+\]\s+)?\d+\.\d+:\s/m],
  ['Eliot', /^\{[^\n]*"task_uuid"/],
  ['a V8 heap snapshot', /^\{"snapshot":/],
  ['a Chrome trace, or a list', /^\s*\[\s*(\{|$)/],
];

/** @throws {FormatError} `FORMAT_EMPTY`, `FORMAT_UNKNOWN`, `FORMAT_UNSUPPORTED`, `CPUPROFILE_JSON` */
export function detectFormat(bytes: Uint8Array): DetectedFormat {
  if (bytes.length === 0) throw new FormatError('FORMAT_EMPTY', 'no bytes');
  const head = String.fromCharCode(...bytes.subarray(0, HEAD_BYTES));
  assertNoneOf(FOREIGN_BINARY, head);
  const encoding = head.startsWith('\xff\xfe') ? 'utf-16le' : head.startsWith('\xfe\xff') ? 'utf-16be' : 'utf-8';
  // Every message of protobuf holds such bytes: its field numbers and lengths.
  if (encoding === 'utf-8' && CONTROL.test(head)) return { format: 'pprof' };
  assertNoneOf(FOREIGN_TEXT, head);
  const text = new TextDecoder(encoding).decode(bytes); // drops the byte order mark; what is no UTF-8 becomes U+FFFD
  if (text.trim() === '') throw new FormatError('FORMAT_EMPTY', 'nothing but spaces');
  return text.trimStart().startsWith('{') ? { format: 'cpuprofile', json: cpuprofileJson(text) } : { format: 'folded', text };
}

function assertNoneOf(formats: readonly ForeignFormat[], head: string): void {
  const found = formats.find(([, start]) => start.test(head));
  if (found !== undefined) throw new FormatError('FORMAT_UNSUPPORTED', `this is ${found[0]}, which is not read yet`);
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
    has('traceEvents') ? 'a Chrome trace'
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
