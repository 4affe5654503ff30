import { FormatError } from './errors.js';

export type DetectedFormat =
  | { readonly format: 'pprof' }
  | { readonly format: 'folded'; readonly text: string }
  | { readonly format: 'cpuprofile'; readonly json: object };

/** Bytes looked at to tell text from binary, and to find a foreign format's first words. */
const HEAD_BYTES = 512;
/** But tabs and line ends; \x7f to \x9f are bytes of texts in UTF-8 too. */
const CONTROL = /(?![\t\n\r\x7f-\x9f])\p{Cc}/u;

/** Formats that are known and not read, by how they begin. Without these lists some of them would pass for pprof or folded stacks. */
const FOREIGN_BINARY: readonly (readonly [name: string, starts: readonly string[]])[] = [
  [
    'pprof in its old form (before protobuf), or vmprof', // words of 4 or of 8 bytes: 0, 3, 0
    ['\0'.repeat(4) + '\x03' + '\0'.repeat(7), '\0'.repeat(8) + '\x03' + '\0'.repeat(15)],
  ],
  ['Java Flight Recorder', ['FLR\0']],
  ['Austin (MOJO)', ['MOJ']],
  ['gprof', ['gmon']],
  ['Python cProfile (pstats)', ['{(', '{)', '{\xa8', '{\xa9', '\xfb(', '\xfb)', '\xfb\xa8', '\xfb\xa9']],
  ['Python pickle, as of line_profiler', ['\x80\x02', '\x80\x03', '\x80\x04', '\x80\x05']],
];
const FOREIGN_TEXT: readonly (readonly [name: string, start: RegExp])[] = [
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
  assertNone(FOREIGN_BINARY.find(([, starts]) => starts.some((start) => head.startsWith(start))));
  const encoding = head.startsWith('\xff\xfe') ? 'utf-16le' : head.startsWith('\xfe\xff') ? 'utf-16be' : 'utf-8';
  // Every message of protobuf holds such bytes: its field numbers and lengths.
  if (encoding === 'utf-8' && CONTROL.test(head)) return { format: 'pprof' };
  assertNone(FOREIGN_TEXT.find(([, start]) => start.test(head)));
  const text = new TextDecoder(encoding).decode(bytes); // drops the byte order mark; what is no UTF-8 becomes U+FFFD
  if (text.trim() === '') throw new FormatError('FORMAT_EMPTY', 'nothing but spaces');
  return text.trimStart().startsWith('{') ? { format: 'cpuprofile', json: cpuprofileJson(text) } : { format: 'folded', text };
}

function assertNone(found: readonly [name: string, how: unknown] | undefined): void {
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
