import { lineCosts, type FunctionTable, type LineCosts, type StackTable } from '@hearth/profile-model';
import type { Batch } from '@hearth/wire-format';
import { HearthError } from '../../platform/http/hearth-error.js';
import type { CanonicalBatch, CanonicalProfile } from './canonical-batch.js';

/** Functions and stacks that are gone through for the lines of one batch or file, over all its profiles. */
export const MAX_LINE_VISITS = 1_000_000;
/** Of all its profiles together: what is kept has to be read again. */
const MAX_LINES = 250_000;
const MAX_FILE_CHARACTERS = 8_000_000;
const LINE_BYTES = 32;

export interface RecordedLines {
  /** One for each profile. */
  readonly costs: readonly LineCosts[];
  /** Memory that they take, roughly. */
  readonly bytes: number;
}

/**
 * @param functionLine - The line that ran, of each row of `functions`.
 * @throws {HearthError} `LINES_TOO_LARGE`
 */
export function recordedLines(
  tables: { readonly functions: FunctionTable; readonly stacks: StackTable },
  profiles: readonly CanonicalProfile[],
  functionLine: Uint32Array,
  maxVisits = MAX_LINE_VISITS,
): RecordedLines {
  const visits = profiles.length * (tables.functions.length + tables.stacks.length);
  if (visits > maxVisits) throw tooLarge(`${visits} functions and stacks in ${profiles.length} profiles with lines`, maxVisits);
  const costs: LineCosts[] = [];
  let [lines, characters] = [0, 0];
  for (const profile of profiles) {
    const ofProfile = lineCosts({ ...tables, ...profile }, functionLine);
    costs.push(ofProfile);
    lines += ofProfile.line.length;
    for (const text of [...ofProfile.files.package, ...ofProfile.files.file]) characters += text.length;
    if (lines > MAX_LINES) throw tooLarge(`${lines} lines`, MAX_LINES);
    if (characters > MAX_FILE_CHARACTERS) throw tooLarge(`${characters} characters of file names`, MAX_FILE_CHARACTERS);
  }
  return { costs, bytes: lines * LINE_BYTES + characters * 2 };
}

/** A batch, and what the lines cost that `raw` says ran. @throws {HearthError} `LINES_TOO_LARGE` */
export function withRecordedLines(
  batch: CanonicalBatch,
  raw: Batch,
  maxVisits?: number,
): { readonly batch: CanonicalBatch; readonly bytes: number } {
  const recorded = batch.profiles.filter((_, at) => raw.profiles[at]!.lines === 'call-site');
  if (recorded.length === 0) return { batch, bytes: 0 };
  const { costs, bytes } = recordedLines(batch, recorded, raw.functions.line, maxVisits);
  const costsOf = new Map(recorded.map((profile, at) => [profile, costs[at]]));
  const profiles = batch.profiles.map((profile) => ({ ...profile, lineCosts: costsOf.get(profile) }));
  return { batch: { ...batch, profiles }, bytes };
}

function tooLarge(what: string, allowed: number): HearthError {
  return new HearthError('LINES_TOO_LARGE', `${what}, ${allowed} allowed: send fewer profiles together, or without lines`);
}
