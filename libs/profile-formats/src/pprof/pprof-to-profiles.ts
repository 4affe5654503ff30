import type { FunctionKey, Label, LabelSet, Profile } from '@hearth/profile-model';
import {
  MAX_LINE,
  NATIVE_PACKAGE,
  NO_PARENT,
  RememberedFunctions,
  TextCache,
  canonicalFunction,
  labelSet,
} from '@hearth/profile-model';
import { FormatError } from '../errors.js';
import type { FormatLimits } from '../limits.js';
import { assertWithin } from '../limits.js';
import { SamplesByType, tidyFunction, tidyLabel } from '../samples-by-type.js';
import { nodeAgentFunction } from './node-agent-names.js';
import type { PprofLocation, PprofMapping, PprofMessage, PprofSample, Whole } from './pprof-message.js';
import { decodePprof } from './pprof-message.js';
import { TimeScale } from './time-scale.js';
import { isSampleCount, profileTypeOf } from './value-types.js';

export interface PprofOptions {
  readonly rootDir: string;
  /** Whether the lines of the file are those that ran: then a function has a row for each of them. */
  readonly hasCallSiteLines: boolean;
}

export interface PprofProfiles {
  /** One for each sample type, in their order. */
  readonly profiles: Profile[];
  /** Of each row of their functions; `undefined` without lines. */
  readonly functionLine: Uint32Array | undefined;
}

/**
 * @param bytes - Inflated.
 * @throws {FormatError} `PPROF_*`, `FORMAT_LIMIT`, `FORMAT_VALUE`
 */
export function pprofToProfiles(bytes: Uint8Array, limits: FormatLimits, options: PprofOptions): PprofProfiles {
  return new PprofImport(decodePprof(bytes, limits), limits, options).read();
}

/** Each is a profile of its own; programs write four. */
const MAX_SAMPLE_TYPES = 64;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true }); // what is no UTF-8 becomes U+FFFD
const decodeText = (bytes: Uint8Array): string => decoder.decode(bytes);
/** Made by the first file that is read. */
let knownTexts: TextCache | undefined;
const rememberedFunctions = new RememberedFunctions((name, file, rootDir) =>
  tidyFunction(canonicalFunction(nodeAgentFunction(name, file), rootDir)),
);

class PprofImport {
  readonly #message: PprofMessage;
  readonly #limits: FormatLimits;
  readonly #functionOf: (name: string, file: string) => FunctionKey;
  readonly #functionRows = new Map<FunctionKey, number>();
  readonly #hasCallSiteLines: boolean;
  readonly #texts: (string | undefined)[] = [];
  readonly #labelSetRows = new Map<string, number>();
  #labelCharacters = 0;
  readonly #samples: SamplesByType;
  readonly #scales: TimeScale[];
  /** Index of the sample type that counts raw samples; -1 if there is none. */
  readonly #countIndex: number;
  readonly #framesOfLocation: ById<readonly number[]>;
  /** Locations of the sample before, the caller first, and the stack up to each: neighbours share most of it. */
  readonly #path: { readonly id: Whole; readonly stack: number }[] = [];

  constructor(message: PprofMessage, limits: FormatLimits, { rootDir, hasCallSiteLines }: PprofOptions) {
    this.#message = message;
    this.#limits = limits;
    this.#functionOf = rememberedFunctions.of(rootDir);
    this.#hasCallSiteLines = hasCallSiteLines;
    if (message.stringStart[0] === undefined || message.stringStart[0] !== message.stringEnd[0])
      throw new FormatError('PPROF_STRING', 'the first text must be empty');
    const sampleTypes = message.sampleTypes.map(({ type, unit }) => ({ type: this.#text(type), unit: this.#text(unit) }));
    if (sampleTypes.length === 0) throw new FormatError('PPROF_SAMPLE_TYPE', 'no sample type');
    assertWithin(sampleTypes.length, MAX_SAMPLE_TYPES, 'sample types');
    const period =
      message.periodType === undefined
        ? undefined
        : { type: this.#text(message.periodType.type), unit: this.#text(message.periodType.unit) };
    const types = sampleTypes.map((sampleType) => profileTypeOf(sampleType, period));
    const typeIds = new Set(types.map((type) => JSON.stringify(type)));
    if (typeIds.size !== types.length) throw new FormatError('PPROF_SAMPLE_TYPE', 'two sample types are the same');
    this.#samples = new SamplesByType(types, limits, hasCallSiteLines);
    this.#scales = sampleTypes.map(({ unit }) => new TimeScale(unit));
    this.#countIndex = sampleTypes.findIndex(isSampleCount);
    this.#framesOfLocation = this.#resolveLocations();
  }

  read(): PprofProfiles {
    for (const sample of this.#message.samples) this.#add(sample);
    // Nanoseconds since 1970 are beyond 2^53: the division must be exact, or a millisecond is lost here and there.
    const startMs = Math.max(0, Number(BigInt(this.#message.timeNanos) / 1_000_000n));
    const durationMs = Math.max(0, Math.round(Number(this.#message.durationNanos) / 1e6));
    return {
      profiles: this.#samples.profiles(startMs, durationMs, this.#countIndex >= 0),
      functionLine: this.#samples.functionLine(),
    };
  }

  #add(sample: PprofSample): void {
    if (sample.values.length !== this.#scales.length) {
      throw new FormatError(
        'PPROF_SAMPLE',
        `a sample has ${sample.values.length} values for ${this.#scales.length} sample types`,
      );
    }
    const { locationIds } = sample;
    this.#samples.countFrames(this.#depthOf(locationIds));
    const stack = this.#stackOf(locationIds);
    const values = sample.values.map((value, index) => this.#scales[index]!.toWhole(value));
    this.#samples.addSample(stack, this.#labelSetRow(sample), values, Math.max(0, values[this.#countIndex] ?? 1));
  }

  #depthOf(locationIds: readonly Whole[]): number {
    let depth = 0;
    for (const id of locationIds) {
      const frames = this.#framesOfLocation.get(id);
      if (frames === undefined) throw new FormatError('PPROF_ID', `a sample names location ${id}, which is not there`);
      depth += frames.length;
    }
    return depth;
  }

  #stackOf(locationIds: readonly Whole[]): number {
    const path = this.#path;
    let stack = NO_PARENT;
    let shared = 0;
    for (let at = locationIds.length - 1; at >= 0 && path[shared]?.id === locationIds[at]; at -= 1) stack = path[shared++]!.stack;
    path.length = shared;
    for (let at = locationIds.length - 1 - shared; at >= 0; at -= 1) {
      const id = locationIds[at]!;
      for (const functionRow of this.#framesOfLocation.get(id)!) stack = this.#samples.stackRow(stack, functionRow);
      path.push({ id, stack });
    }
    return stack;
  }

  /** Few label sets come with many samples, by the same rows of the texts. What is counted is rows: to find out which texts are equal takes time for each. */
  #labelSetRow(sample: PprofSample): number {
    let key = '';
    for (const { key: name, text } of sample.labels) key += `${name},${text};`;
    let row = this.#labelSetRows.get(key);
    if (row === undefined) {
      assertWithin(this.#labelSetRows.size + 1, this.#limits.maxLabelSets, 'label sets');
      this.#labelSetRows.set(key, (row = this.#samples.labelSetRow(this.#labels(sample))));
    }
    return row;
  }

  /** Labels with a text. Numbers, as each sample's time or the bytes of an allocation, would make every sample a row of its own. */
  #labels(sample: PprofSample): LabelSet {
    const labels: Label[] = [];
    for (const { key, text } of sample.labels) {
      const [name, value] = [this.#text(key), this.#text(text)];
      if (name === '' || text === 0) continue;
      const label = [tidyLabel(name), tidyLabel(value)] as const;
      assertWithin(labels.push(label), this.#limits.maxLabels, 'labels of one sample');
      this.#labelCharacters += label[0].length + label[1].length;
      assertWithin(this.#labelCharacters, this.#limits.maxLabelCharacters, 'characters in all label sets');
    }
    return labelSet(labels);
  }

  /** Rows of the functions of each location, the caller before the callee. */
  #resolveLocations(): ById<readonly number[]> {
    const { functions, mappings, locations } = this.#message;
    const mappingOf = byId(mappings, 'mapping');
    byId(functions, 'function');
    const keyOf = new ById<FunctionKey>(functions.length);
    for (const { id, name, file } of functions) keyOf.set(id, this.#functionOf(this.#text(name), this.#text(file)));

    byId(locations, 'location');
    const framesOf = new ById<readonly number[]>(locations.length);
    for (const location of locations) {
      const { id } = location;
      const mapping = mappingOf.get(location.mappingId);
      if (mapping === undefined && location.mappingId !== 0)
        throw new FormatError('PPROF_ID', `location ${id} names mapping ${location.mappingId}, which is not there`);
      const rows: number[] = [];
      for (let at = location.lines.length - 1; at >= 0; at -= 1) {
        const { functionId, line } = location.lines[at]!;
        const key = keyOf.get(functionId);
        if (key === undefined && functionId !== 0)
          throw new FormatError('PPROF_ID', `location ${id} names function ${functionId}, which is not there`);
        rows.push(this.#functionRow(key ?? this.#unknownFunction(location, mapping), line));
      }
      if (rows.length === 0) rows.push(this.#functionRow(this.#unknownFunction(location, mapping), 0));
      framesOf.set(id, rows);
    }
    return framesOf;
  }

  /** @param line - As the file has it; one that no source file can have is unknown. */
  #functionRow(key: FunctionKey, line: Whole): number {
    if (this.#hasCallSiteLines) return this.#samples.functionRow(key, line > 0 && line <= MAX_LINE ? Number(line) : 0);
    // Known functions are the same objects.
    let row = this.#functionRows.get(key);
    if (row === undefined) this.#functionRows.set(key, (row = this.#samples.functionRow(key)));
    return row;
  }

  /** No symbol: the place in the mapped file, which is the same in every process; else the address as it is. */
  #unknownFunction(location: PprofLocation, mapping: PprofMapping | undefined): FunctionKey {
    const address = BigInt.asUintN(64, BigInt(location.address));
    if (mapping === undefined) return tidyFunction({ name: `0x${address.toString(16)}`, package: NATIVE_PACKAGE, file: '' });
    const offset = BigInt.asUintN(64, address - BigInt(mapping.memoryStart) + BigInt(mapping.fileOffset));
    const file = this.#text(mapping.file).split('/').at(-1)!;
    return tidyFunction({ name: `${file === '' ? '?' : file}+0x${offset.toString(16)}`, package: NATIVE_PACKAGE, file: '' });
  }

  #text(row: Whole): string {
    const index = Number(row);
    const known = this.#texts[index];
    if (known !== undefined) return known;
    const { bytes, stringStart, stringEnd } = this.#message;
    const start = stringStart[index];
    if (start === undefined) throw new FormatError('PPROF_STRING', `text ${row} of ${stringStart.length}`);
    knownTexts ??= new TextCache();
    return (this.#texts[index] = knownTexts.text(bytes, start, stringEnd[index]!, decodeText));
  }
}

/** @throws {FormatError} `PPROF_ID` */
function byId<Row extends { readonly id: Whole }>(rows: readonly Row[], what: string): ById<Row> {
  const rowOf = new ById<Row>(rows.length);
  for (const row of rows) {
    if (row.id === 0) throw new FormatError('PPROF_ID', `a ${what} has the id 0, which is reserved`);
    if (rowOf.get(row.id) !== undefined) throw new FormatError('PPROF_ID', `two ${what}s have the id ${row.id}`);
    rowOf.set(row.id, row);
  }
  return rowOf;
}

/** By ids of a file: those that writers count up from 1 are places in an array, which is asked for every frame of every sample. */
class ById<Value> {
  readonly #maxDense: number;
  readonly #dense: (Value | undefined)[] = [];
  readonly #others = new Map<Whole, Value>();

  constructor(expectedRows: number) {
    this.#maxDense = expectedRows * 2;
  }

  get(id: Whole): Value | undefined {
    return this.#isDense(id) ? this.#dense[id] : this.#others.get(id);
  }

  set(id: Whole, value: Value): void {
    if (!this.#isDense(id)) {
      this.#others.set(id, value);
      return;
    }
    while (this.#dense.length < id) this.#dense.push(undefined); // no holes
    this.#dense[id] = value;
  }

  #isDense(id: Whole): id is number {
    return typeof id === 'number' && id >= 0 && id <= this.#maxDense;
  }
}
