import { functionTotals } from './function-totals.js';
import { FunctionInterner, PairInterner } from './interner.js';
import type { Profile } from './profile.js';
import { selfByStack } from './self-by-stack.js';
import type { StackTable } from './stack-table.js';

/** What each line of each file cost, as columns of one length; a line has one row, whichever functions are on it. */
export interface LineCosts {
  /** The files that have lines here, in the words of a function table. */
  readonly files: { readonly package: readonly string[]; readonly file: readonly string[] };
  /** Row in `files`. */
  readonly fileRow: Uint32Array;
  /** From 1; 0 is unknown. */
  readonly line: Uint32Array;
  /** Value of the samples that ran on the line itself. They sum to the profile's, but for samples without frames. */
  readonly self: Float64Array;
  /** Value of the samples that ran on the line or in what it called, each counted once however often the line recurs in its stack. */
  readonly total: Float64Array;
  /** Raw samples behind `total`. */
  readonly samples: Float64Array;
}

/** What `lineCosts` needs of a profile. */
export type ProfileWithLines = Pick<Profile, 'functions' | 'stacks' | 'sampleStack' | 'sampleValue' | 'sampleCount'>;

/** No file has more lines; what is beyond is no line. */
export const MAX_LINE = 2 ** 31 - 1;

/** @param functionLine - The line that ran, of each row of the function table: a function that ran on several lines has several rows. */
export function lineCosts(profile: ProfileWithLines, functionLine: Uint32Array): LineCosts {
  const { functions, stacks } = profile;
  const files = new FunctionInterner();
  const lines = new PairInterner();
  const lineOfFunction = functionLine.map((line, row) =>
    lines.rowOf(
      files.rowOf({ name: '', package: functions.package[row]!, file: functions.file[row]! }),
      line <= MAX_LINE ? line : 0,
    ),
  );
  const byLine: StackTable = {
    length: stacks.length,
    parent: stacks.parent,
    functionRow: Uint32Array.from({ length: stacks.length }, (_, row) => lineOfFunction[stacks.functionRow[row]!]!),
  };
  const { self, total } = functionTotals(byLine, selfByStack(profile), lines.length);
  const samples = functionTotals(byLine, selfByStack(profile, profile.sampleCount), lines.length).total;

  const { first: fileRow, second: line } = lines.columns();
  const used = Uint32Array.from(line.keys()).filter((row) => total[row] !== 0 || samples[row] !== 0);
  const ofUsed = (column: ArrayLike<number>) => Float64Array.from(used, (row) => column[row]!);
  const all = files.table();
  const usedFiles = [...new Set(used.map((row) => fileRow[row]!))];
  const rowOfFile = new Map(usedFiles.map((row, at) => [row, at]));
  return {
    files: { package: usedFiles.map((row) => all.package[row]!), file: usedFiles.map((row) => all.file[row]!) },
    fileRow: used.map((row) => rowOfFile.get(fileRow[row]!)!),
    line: used.map((row) => line[row]!),
    self: ofUsed(self),
    total: ofUsed(total),
    samples: ofUsed(samples),
  };
}
