import { MAX_NAME_LENGTH, labelSet, type LabelSet } from '@hearth/profile-model';
import type { ColumnReader } from './column-reader.js';
import { OBJECT_BYTES, textBytes, type DecodedSize, type DecodeLimits } from './decode-limits.js';
import { WireError } from './errors.js';
import { MAX_LABEL_LENGTH } from './text-limits.js';

/** What the parts of a batch are read with. */
export interface ReadContext {
  readonly reader: ColumnReader;
  readonly limits: DecodeLimits;
  readonly size: DecodedSize;
  readonly texts: readonly string[];
}

export function readText({ reader, texts }: ReadContext): string {
  return texts[reader.row(texts.length)]!;
}

/** What is found again by its name: queries take no longer ones. */
export function readName(context: ReadContext, what: string): string {
  const name = readText(context);
  if (name.length > MAX_NAME_LENGTH)
    throw new WireError(
      'WIRE_STRING',
      `${what} "${name.slice(0, 40)}…" has ${name.length} characters, ${MAX_NAME_LENGTH} allowed`,
    );
  return name;
}

/** A label's name or value, or what is as short. */
export function readLabelText({ size, texts }: ReadContext, row: number): string {
  const text = texts[row]!;
  if (text.length > MAX_LABEL_LENGTH)
    throw new WireError('WIRE_STRING', `label text of ${text.length} characters, ${MAX_LABEL_LENGTH} allowed`);
  size.add(textBytes(text));
  return text;
}

export function readLabelSets(context: ReadContext, maxLabelSets: number): LabelSet[] {
  const { reader, limits, size, texts } = context;
  const lengths = reader.column();
  if (lengths.length > maxLabelSets) throw new WireError('WIRE_COUNT', `${lengths.length} label sets, ${maxLabelSets} allowed`);
  const names = reader.rowColumn(texts.length);
  const values = reader.rowColumn(texts.length);
  assertSameLength('labels', names, values);
  let from = 0;
  const labelSets = Array.from(lengths, (length) => {
    if (length > names.length - from)
      throw new WireError('WIRE_COUNT', `label set of ${length} labels, ${names.length - from} left`);
    if (length > limits.maxLabels)
      throw new WireError('WIRE_COUNT', `label set of ${length} labels, ${limits.maxLabels} allowed`);
    size.add(OBJECT_BYTES * (1 + length));
    const labels = Array.from({ length }, (_, at): [string, string] => [
      readLabelText(context, names[from + at]!),
      readLabelText(context, values[from + at]!),
    ]);
    from += length;
    return labelSet(labels);
  });
  if (from !== names.length) throw new WireError('WIRE_COUNT', `${names.length - from} labels in no label set`);
  return labelSets;
}

export function countUpTo(reader: ColumnReader, limit: number, what: string): number {
  const count = reader.count();
  if (count > limit) throw new WireError('WIRE_COUNT', `${count} ${what}, ${limit} allowed`);
  return count;
}

export function assertSameLength(table: string, ...columns: readonly { readonly length: number }[]): void {
  const lengths = columns.map((column) => column.length);
  if (lengths.some((length) => length !== lengths[0]))
    throw new WireError('WIRE_COUNT', `${table}: columns of ${lengths.join(', ')} rows`);
}
