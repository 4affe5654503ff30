import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { FormatError } from '../errors.js';
import type { FormatLimits } from '../limits.js';
import { assertWithin } from '../limits.js';

/**
 * A whole number of 64 bits: a number where it is exact, else a bigint. Every value has one form only, so it may be a key of a Map.
 */
export type Whole = number | bigint;

/** The message `Profile` of profile.proto as it stands in the file: texts by their row, nothing checked but the encoding. */
export interface PprofMessage {
  readonly sampleTypes: PprofValueType[];
  readonly samples: PprofSample[];
  readonly mappings: PprofMapping[];
  readonly locations: PprofLocation[];
  readonly functions: PprofFunction[];
  /** Where the bytes of each text are in `bytes`: many are never needed as text, and none needs a view of its own. */
  readonly stringStart: number[];
  readonly stringEnd: number[];
  readonly bytes: Uint8Array;
  timeNanos: Whole;
  durationNanos: Whole;
  periodType: PprofValueType | undefined;
}
export interface PprofValueType {
  type: Whole;
  unit: Whole;
}
export interface PprofSample {
  /** Leaf first. */
  readonly locationIds: Whole[];
  readonly values: Whole[];
  readonly labels: { key: Whole; text: Whole }[];
}
export interface PprofMapping {
  id: Whole;
  memoryStart: Whole;
  fileOffset: Whole;
  file: Whole;
}
export interface PprofLocation {
  id: Whole;
  mappingId: Whole;
  address: Whole;
  /** The innermost inlined call first. */
  readonly lines: PprofLine[];
}
export interface PprofLine {
  functionId: Whole;
  line: Whole;
}
export interface PprofFunction {
  id: Whole;
  name: Whole;
  file: Whole;
}

/** @throws {FormatError} `PPROF_PROTOBUF`, `FORMAT_LIMIT` */
export function decodePprof(bytes: Uint8Array, limits: FormatLimits): PprofMessage {
  try {
    return new PprofDecoder(bytes, limits).profile();
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError('PPROF_PROTOBUF', `cut short, damaged, or no pprof: ${(error as Error).message}`, { cause: error });
  }
}

/** One reader for the whole file: a reader and a closure for each of a hundred thousand messages would be most of the work. */
class PprofDecoder {
  readonly #bytes: Uint8Array;
  readonly #reader: BinaryReader;
  readonly #maxRows: number;

  constructor(bytes: Uint8Array, { maxRows }: FormatLimits) {
    this.#bytes = bytes;
    this.#reader = new BinaryReader(bytes);
    this.#maxRows = maxRows;
  }

  profile(): PprofMessage {
    const message: PprofMessage = {
      sampleTypes: [],
      samples: [],
      mappings: [],
      locations: [],
      functions: [],
      stringStart: [],
      stringEnd: [],
      bytes: this.#bytes,
      timeNanos: 0,
      durationNanos: 0,
      periodType: undefined,
    };
    while (this.#isBefore(this.#bytes.length)) {
      const [field, wireType] = this.#reader.tag();
      if (field === 1) this.#push(message.sampleTypes, this.#valueType(this.#end(wireType)));
      else if (field === 2) this.#push(message.samples, this.#sample(this.#end(wireType)));
      else if (field === 3) this.#push(message.mappings, this.#mapping(this.#end(wireType)));
      else if (field === 4) this.#push(message.locations, this.#location(this.#end(wireType)));
      else if (field === 5) this.#push(message.functions, this.#function(this.#end(wireType)));
      else if (field === 6) this.#text(message, this.#end(wireType));
      else if (field === 9) message.timeNanos = this.#whole(wireType);
      else if (field === 10) message.durationNanos = this.#whole(wireType);
      else if (field === 11) message.periodType = this.#valueType(this.#end(wireType));
      else this.#reader.skip(wireType, field); // drop_frames, keep_frames, period, comments, default_sample_type, doc_url
    }
    return message;
  }

  #sample(end: number): PprofSample {
    const sample: PprofSample = { locationIds: [], values: [], labels: [] };
    while (this.#isBefore(end)) {
      const [field, wireType] = this.#reader.tag();
      if (field === 1) this.#numbers(sample.locationIds, wireType);
      else if (field === 2) this.#numbers(sample.values, wireType);
      else if (field === 3) this.#push(sample.labels, this.#label(this.#end(wireType)));
      else this.#reader.skip(wireType, field);
    }
    return sample;
  }

  #label(end: number): PprofSample['labels'][number] {
    const label = { key: 0 as Whole, text: 0 as Whole };
    while (this.#isBefore(end)) {
      const [field, wireType] = this.#reader.tag();
      if (field === 1) label.key = this.#whole(wireType);
      else if (field === 2) label.text = this.#whole(wireType);
      else this.#reader.skip(wireType, field); // num, num_unit
    }
    return label;
  }

  #valueType(end: number): PprofValueType {
    const valueType: PprofValueType = { type: 0, unit: 0 };
    while (this.#isBefore(end)) {
      const [field, wireType] = this.#reader.tag();
      if (field === 1) valueType.type = this.#whole(wireType);
      else if (field === 2) valueType.unit = this.#whole(wireType);
      else this.#reader.skip(wireType, field);
    }
    return valueType;
  }

  #mapping(end: number): PprofMapping {
    const mapping: PprofMapping = { id: 0, memoryStart: 0, fileOffset: 0, file: 0 };
    while (this.#isBefore(end)) {
      const [field, wireType] = this.#reader.tag();
      if (field === 1) mapping.id = this.#whole(wireType);
      else if (field === 2) mapping.memoryStart = this.#whole(wireType);
      else if (field === 4) mapping.fileOffset = this.#whole(wireType);
      else if (field === 5) mapping.file = this.#whole(wireType);
      else this.#reader.skip(wireType, field);
    }
    return mapping;
  }

  #location(end: number): PprofLocation {
    const location: PprofLocation = { id: 0, mappingId: 0, address: 0, lines: [] };
    while (this.#isBefore(end)) {
      const [field, wireType] = this.#reader.tag();
      if (field === 1) location.id = this.#whole(wireType);
      else if (field === 2) location.mappingId = this.#whole(wireType);
      else if (field === 3) location.address = this.#whole(wireType);
      else if (field === 4) this.#push(location.lines, this.#line(this.#end(wireType)));
      else this.#reader.skip(wireType, field);
    }
    return location;
  }

  #line(end: number): PprofLine {
    const line: PprofLine = { functionId: 0, line: 0 };
    while (this.#isBefore(end)) {
      const [field, wireType] = this.#reader.tag();
      if (field === 1) line.functionId = this.#whole(wireType);
      else if (field === 2) line.line = this.#whole(wireType);
      else this.#reader.skip(wireType, field); // column
    }
    return line;
  }

  #function(end: number): PprofFunction {
    const functionRow: PprofFunction = { id: 0, name: 0, file: 0 };
    while (this.#isBefore(end)) {
      const [field, wireType] = this.#reader.tag();
      if (field === 1) functionRow.id = this.#whole(wireType);
      else if (field === 2) functionRow.name = this.#whole(wireType);
      else if (field === 4) functionRow.file = this.#whole(wireType);
      else this.#reader.skip(wireType, field); // system_name, start_line
    }
    return functionRow;
  }

  /** Whether the message that ends at `end` goes on. A field that reaches beyond it belongs to no message. */
  #isBefore(end: number): boolean {
    if (this.#reader.pos > end)
      throw new FormatError('PPROF_PROTOBUF', `a field reaches over the end of its message at byte ${end}`);
    return this.#reader.pos < end;
  }

  /** Where the message or text that begins with its length ends. */
  #end(wireType: WireType): number {
    if (wireType !== WireType.LengthDelimited) throw this.#unexpected(wireType);
    const length = this.#reader.uint32();
    const end = this.#reader.pos + length;
    if (end > this.#bytes.length)
      throw new FormatError('PPROF_PROTOBUF', `${length} bytes wanted at byte ${this.#reader.pos} of ${this.#bytes.length}`);
    return end;
  }

  #text({ stringStart, stringEnd }: PprofMessage, end: number): void {
    this.#push(stringStart, this.#reader.pos);
    stringEnd.push(end);
    this.#reader.pos = end;
  }

  /** Repeated numbers may be packed into one field or stand each in its own. */
  #numbers(into: Whole[], wireType: WireType): void {
    if (wireType !== WireType.LengthDelimited) {
      this.#push(into, this.#whole(wireType));
      return;
    }
    const end = this.#end(wireType);
    while (this.#isBefore(end)) this.#push(into, this.#whole(WireType.Varint));
  }

  #whole(wireType: WireType): Whole {
    if (wireType !== WireType.Varint) throw this.#unexpected(wireType);
    const start = this.#reader.pos;
    let value = 0;
    // Seven bytes hold 49 bits, which is nearly every number there is; the rest goes through a bigint.
    for (let at = start, scale = 1; at < start + 7 && at < this.#bytes.length; at += 1, scale *= 128) {
      const byte = this.#bytes[at]!;
      value += (byte & 127) * scale;
      if (byte >= 128) continue;
      this.#reader.pos = at + 1;
      return value;
    }
    const large = BigInt(this.#reader.int64());
    return large >= Number.MIN_SAFE_INTEGER && large <= Number.MAX_SAFE_INTEGER ? Number(large) : large;
  }

  #push<Row>(rows: Row[], row: Row): void {
    assertWithin(rows.push(row), this.#maxRows, 'rows of one kind');
  }

  #unexpected(wireType: WireType): FormatError {
    return new FormatError('PPROF_PROTOBUF', `unexpected wire type ${wireType} before byte ${this.#reader.pos}`);
  }
}
