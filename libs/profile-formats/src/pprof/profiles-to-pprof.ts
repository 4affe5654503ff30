import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { LabelSet, Profile, ProfileType } from '@hearth/profile-model';
import {
  FunctionInterner,
  NO_PARENT,
  PairInterner,
  ProfileError,
  StackInterner,
  functionsRootFirst,
  labelSetKey,
  profileTypeId,
  scriptNameOf,
} from '@hearth/profile-model';
import { isSampleCount, profileTypeOf } from './value-types.js';

/**
 * A pprof file, not compressed, with one sample type for each profile; the last is the one shown by default. Where the profiles agree on how many
 * raw samples are behind each row, and it is not 1 everywhere, a sample type `samples/count` goes before them.
 *
 * @param profiles - Of one process and time; at least one.
 * @throws {ProfileError} `PROFILE_TYPES_DIFFER` if there is none
 */
export function profilesToPprof(profiles: readonly Profile[]): Uint8Array {
  const last = profiles.at(-1);
  if (last === undefined) throw new ProfileError('PROFILE_TYPES_DIFFER', 'no profile to write');
  const texts = new TextTable();
  const table = joinedSamples(profiles);
  const writer = new BinaryWriter();
  const valueType = (field: number, type: string, unit: string): void => {
    writer.tag(field, WireType.LengthDelimited).fork();
    number(writer, 1, texts.rowOf(type));
    number(writer, 2, texts.rowOf(unit));
    writer.join();
  };

  const hasCounts = table.counts.some((count) => count !== 1);
  const writesCounts =
    table.countsAgree &&
    hasCounts &&
    !profiles.some(({ type }) => isSampleCount({ type: type.sampleType, unit: type.sampleUnit }));
  if (writesCounts) valueType(1, 'samples', 'count');
  for (const { type } of profiles) valueType(1, type.sampleType, type.sampleUnit);
  writeSamples(writer, table, writesCounts, texts);
  writeFunctions(writer, table.functions, texts);
  const period = profiles.find(({ type }) => !isOwnType(type))?.type ?? last.type;
  valueType(11, period.periodType, period.periodUnit);
  const startMs = Math.min(...profiles.map((profile) => profile.startMs));
  const endMs = Math.max(...profiles.map((profile) => profile.startMs + profile.durationMs));
  writer.tag(9, WireType.Varint).int64(BigInt(startMs) * 1_000_000n);
  writer.tag(10, WireType.Varint).int64(BigInt(endMs - startMs) * 1_000_000n);
  number(writer, 14, texts.rowOf(last.type.sampleType));
  for (const text of texts.rows) writer.tag(6, WireType.LengthDelimited).string(text);
  return writer.finish();
}

/** A file has one period type. The types of our own agent are known without it, so it is left to the others. */
function isOwnType(type: ProfileType): boolean {
  return profileTypeId(profileTypeOf({ type: type.sampleType, unit: type.sampleUnit }, undefined)) === profileTypeId(type);
}

/** The rows of all profiles, one for each (stack, label set), over joined tables. */
interface JoinedSamples {
  readonly functions: FunctionInterner;
  readonly stacks: StackInterner;
  readonly labelSets: LabelSet[];
  readonly rows: PairInterner;
  /** One column for each profile; 0 where it has no such row. */
  readonly values: number[][];
  readonly counts: number[];
  readonly countsAgree: boolean;
}

function joinedSamples(profiles: readonly Profile[]): JoinedSamples {
  const joined = {
    functions: new FunctionInterner(),
    stacks: new StackInterner(),
    labelSets: [] as LabelSet[],
    rows: new PairInterner(),
  };
  const values: number[][] = profiles.map(() => []);
  const counts: number[] = [];
  let countsAgree = true;
  const labelSetRows = new Map<string, number>();
  profiles.forEach((profile, profileIndex) => {
    const stackRows = joined.stacks.addAll(profile.stacks, joined.functions.addAll(profile.functions));
    const labelRows = profile.labelSets.map((labels) => {
      const key = labelSetKey(labels);
      const row = labelSetRows.get(key) ?? joined.labelSets.push(labels) - 1;
      labelSetRows.set(key, row);
      return row;
    });
    profile.sampleStack.forEach((stack, sample) => {
      const row = joined.rows.rowOf(
        stack === NO_PARENT ? NO_PARENT : stackRows[stack]!,
        labelRows[profile.sampleLabelSet[sample]!]!,
      );
      const column = values[profileIndex]!;
      const isSecond = column[row] !== undefined && column[row] !== 0;
      column[row] = (column[row] ?? 0) + profile.sampleValue[sample]!;
      const count = profile.sampleCount[sample]!;
      if (isSecond) counts[row]! += count;
      else if (counts[row] === undefined) counts[row] = count;
      else countsAgree &&= counts[row] === count;
    });
  });
  return { ...joined, values, counts, countsAgree };
}

function writeSamples(writer: BinaryWriter, table: JoinedSamples, writesCounts: boolean, texts: TextTable): void {
  const { first, second } = table.rows.columns();
  const stacks = table.stacks.table();
  first.forEach((stack, row) => {
    writer.tag(2, WireType.LengthDelimited).fork();
    // One location for each function, with its id; the leaf comes first.
    writer.tag(1, WireType.LengthDelimited).fork();
    if (stack !== NO_PARENT)
      for (const functionRow of functionsRootFirst(stacks, stack).reverse()) writer.uint64(functionRow + 1);
    writer.join();
    writer.tag(2, WireType.LengthDelimited).fork();
    if (writesCounts) writer.int64(table.counts[row]!);
    for (const column of table.values) writer.int64(column[row] ?? 0);
    writer.join();
    for (const [name, value] of table.labelSets[second[row]!]!) {
      writer.tag(3, WireType.LengthDelimited).fork();
      number(writer, 1, texts.rowOf(name));
      number(writer, 2, texts.rowOf(value));
      writer.join();
    }
    writer.join();
  });
}

/** Ids are rows + 1, because 0 is reserved. */
function writeFunctions(writer: BinaryWriter, functions: FunctionInterner, texts: TextTable): void {
  const table = functions.table();
  for (let row = 0; row < table.length; row += 1) {
    const name = texts.rowOf(table.name[row]!);
    const file = texts.rowOf(scriptNameOf({ package: table.package[row]!, file: table.file[row]! }));
    writer.tag(4, WireType.LengthDelimited).fork();
    number(writer, 1, row + 1);
    writer.tag(4, WireType.LengthDelimited).fork();
    number(writer, 1, row + 1);
    writer.join().join();
    writer.tag(5, WireType.LengthDelimited).fork();
    number(writer, 1, row + 1);
    number(writer, 2, name);
    number(writer, 3, name); // system_name: viewers fall back to it
    number(writer, 4, file);
    writer.join();
  }
}

function number(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).uint64(value);
}

/** Row 0 is '', as the format demands. */
class TextTable {
  readonly rows: string[] = [''];
  readonly #rowOf = new Map([['', 0]]);

  rowOf(text: string): number {
    let row = this.#rowOf.get(text);
    if (row === undefined) {
      row = this.rows.push(text) - 1;
      this.#rowOf.set(text, row);
    }
    return row;
  }
}
