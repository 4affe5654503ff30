import { TRANSACTION_LABEL } from '@hearth/profile-model';
import { ColumnWriter, type Batch, type BatchProfile } from '@hearth/wire-format';

/** What a scraper asks for. */
export type PulledProfile = 'wall' | 'heap';

/** Sample types in the words of `@datadog/pprof`, which other tools know: `[name, unit, our profile type, factor]`. */
const VALUES: Record<PulledProfile, readonly (readonly [string, string, string, number])[]> = {
  wall: [
    ['wall', 'nanoseconds', 'wall', 1_000],
    ['cpu', 'nanoseconds', 'cpu', 1_000],
  ],
  heap: [
    ['inuse_objects', 'count', 'inuse_objects', 1],
    ['inuse_space', 'bytes', 'inuse_space', 1],
  ],
};
/** Messages and texts: a length, then so many bytes. */
const LENGTH_DELIMITED = 2;

/** One profile of one or more batches, as a pprof file that is not compressed. Locations are functions, their line that of the definition. */
export function batchesToPprof(batches: readonly Batch[], kind: PulledProfile): Uint8Array {
  const texts = new Map([['', 0]]);
  const row = (text: string): number => {
    const known = texts.get(text) ?? texts.size;
    texts.set(text, known);
    return known;
  };
  const file = new ColumnWriter();
  const types: (readonly [string, string])[] = VALUES[kind].map(([name, unit]) => [name, unit]);
  if (kind === 'wall') types.unshift(['sample', 'count']);
  for (const [name, unit] of types) message(file, 1, valueType(row(name), row(unit)));
  let firstId = 1;
  for (const batch of batches) {
    writeSamples(file, batch, kind, firstId, row);
    writeFunctions(file, batch, firstId, row);
    firstId += batch.functions.length;
  }
  for (const text of texts.keys()) message(file, 6, (inner) => inner.raw(new TextEncoder().encode(text)));
  varint(file, 9, Math.min(...batches.map(({ startMs }) => startMs)) * 1_000, 1_000n);
  varint(file, 10, batches.reduce((sum, { durationMs }) => sum + durationMs, 0) * 1_000, 1_000n);
  return file.finish();
}

function writeSamples(
  file: ColumnWriter,
  batch: Batch,
  kind: PulledProfile,
  firstId: number,
  row: (text: string) => number,
): void {
  for (const { stack, labelSet, values } of joinedRows(batch, kind)) {
    message(file, 2, (sample) => {
      const locations = new ColumnWriter();
      for (let at = stack; at !== -1; at = batch.stacks.parent[at]!) locations.varint(firstId + batch.stacks.functionRow[at]!);
      message(sample, 1, (inner) => inner.raw(locations.finish()));
      message(sample, 2, (inner) => values.forEach((value) => inner.varint(Math.round(value))));
      for (const [name, value] of batch.labelSets[labelSet]!) {
        message(sample, 3, (label) => {
          varint(label, 1, row(name === TRANSACTION_LABEL ? 'transaction' : name));
          varint(label, 2, row(value));
        });
      }
    });
  }
}

interface JoinedRow {
  readonly stack: number;
  readonly labelSet: number;
  readonly values: number[];
}

/** The rows of the profiles of one kind, each (stack, label set) once, with one value for each sample type. */
function joinedRows(batch: Batch, kind: PulledProfile): Iterable<JoinedRow> {
  const rows = new Map<number, JoinedRow>();
  const offset = kind === 'wall' ? 1 : 0; // the number of samples comes first
  VALUES[kind].forEach(([, , type, factor], at) => {
    const profile = batch.profiles.find(({ typeId }) => typeId.split(':')[1] === type);
    if (profile !== undefined) addProfile(rows, profile, offset + at, factor, offset + VALUES[kind].length);
  });
  return rows.values();
}

function addProfile(rows: Map<number, JoinedRow>, profile: BatchProfile, column: number, factor: number, width: number): void {
  profile.sampleStack.forEach((stack, at) => {
    const labelSet = profile.sampleLabelSet[at]!;
    const key = stack * 1024 + labelSet; // at most 256 label sets
    let joined = rows.get(key);
    if (joined === undefined) rows.set(key, (joined = { stack, labelSet, values: Array<number>(width).fill(0) }));
    joined.values[column] = profile.sampleValue[at]! * factor;
    if (column === 1 && width === 3) joined.values[0] = profile.sampleCount[at]!;
  });
}

/** A location for each function: neither has more than the line of its definition. */
function writeFunctions(file: ColumnWriter, { functions }: Batch, firstId: number, row: (text: string) => number): void {
  for (let at = 0; at < functions.length; at += 1) {
    const id = firstId + at;
    message(file, 4, (location) => {
      varint(location, 1, id);
      message(location, 4, (line) => {
        varint(line, 1, id);
        varint(line, 2, functions.line[at]!);
      });
    });
    message(file, 5, (fn) => {
      varint(fn, 1, id);
      varint(fn, 2, row(functions.name[at]! || '(anonymous)'));
      varint(fn, 4, row(functions.scriptName[at]!));
      varint(fn, 5, functions.line[at]!);
    });
  }
}

function valueType(name: number, unit: number): (inner: ColumnWriter) => void {
  return (inner) => {
    varint(inner, 1, name);
    varint(inner, 2, unit);
  };
}

function message(writer: ColumnWriter, field: number, write: (inner: ColumnWriter) => void): void {
  const inner = new ColumnWriter();
  write(inner);
  writer.varint(field * 8 + LENGTH_DELIMITED);
  writer.bytes(inner.finish());
}

/** @param times - A time in nanoseconds since 1970 is no safe integer. */
function varint(writer: ColumnWriter, field: number, value: number, times = 1n): void {
  writer.varint(field * 8);
  let rest = BigInt(Math.round(value)) * times;
  const bytes: number[] = [];
  for (; rest >= 128n; rest /= 128n) bytes.push(Number(rest % 128n) + 128);
  writer.raw(Uint8Array.of(...bytes, Number(rest)));
}
