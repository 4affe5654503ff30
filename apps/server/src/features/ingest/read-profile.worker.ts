import { gunzipSync } from 'node:zlib';
import { readProfiles, type FormatLimits } from '@hearth/profile-formats';
import {
  profileTypeId,
  type EpochMs,
  type FunctionTable,
  type LabelSet,
  type Profile,
  type StackTable,
} from '@hearth/profile-model';
import { inflateBody, type ContentEncoding } from '../../platform/http/inflate.js';
import { HearthError } from '../../platform/http/hearth-error.js';
import type { CanonicalProfile } from './canonical-batch.js';
import { multipartPart } from './multipart.js';
import { recordedLines } from './recorded-lines.js';
import { faultOf, type WorkerFault } from '../../platform/worker-pool/worker-fault.js';

export interface ReadProfileTask {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly encoding: ContentEncoding;
  readonly maxInflatedBytes: number;
  /** Of the content: a short file can name long stacks and texts many times. Default: those of the format. */
  readonly limits?: Pick<FormatLimits, 'maxFrames' | 'maxLabelCharacters'>;
  /** Multipart bodies are unpacked: the part `profile` is the file. */
  readonly contentType: string;
  /** `lines`: one stack a line, without a count. */
  readonly textForm: 'folded' | 'lines';
  /** Whether the lines of the file are those that ran, by its sender's word. */
  readonly hasCallSiteLines: boolean;
  /** Of lines, see `recordedLines`. */
  readonly maxLineVisits?: number;
}

/** A profile file, as one set of tables and one profile for each value type. */
export interface ReadProfileFile {
  /** By the file's own clock; 0 if it does not say. */
  readonly startMs: EpochMs;
  readonly durationMs: number;
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  readonly labelSets: readonly LabelSet[];
  readonly profiles: readonly CanonicalProfile[];
  /** Memory that all this takes, roughly. */
  readonly decodedBytes: number;
}

/** In the process for small bodies, in a thread of the pool for others: a hostile file holds up nobody else. */
export async function run(task: ReadProfileTask): Promise<ReadProfileFile | { fault: WorkerFault }> {
  try {
    const inflated = inflateBody(task.body, task.encoding, task.maxInflatedBytes);
    const isMultipart = /^multipart\/form-data\b/i.test(task.contentType);
    const file = isMultipart ? await multipartPart(inflated, task.contentType, 'profile') : inflated;
    const { profiles, functionLine } = readProfiles(task.textForm === 'lines' ? withCounts(file) : file, {
      limits: { ...task.limits, maxBytes: task.maxInflatedBytes },
      inflate: (gzip, maxBytes) => gunzipSync(gzip, { maxOutputLength: maxBytes }),
      hasCallSiteLines: task.hasCallSiteLines,
    });
    if (task.hasCallSiteLines && functionLine === undefined)
      throw new HearthError(
        'LINES_NOT_READ',
        'lines=call-site: only pprof files have lines that are read; send the file without it',
      );
    return fileOf(profiles, functionLine, task.maxLineVisits);
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

function fileOf(
  profiles: readonly Profile[],
  functionLine: Uint32Array | undefined,
  maxLineVisits: number | undefined,
): ReadProfileFile {
  const [first] = profiles;
  if (first === undefined) throw new Error('a profile file without a profile');
  // All value types of one file share their tables.
  const { startMs, durationMs, functions, stacks, labelSets } = first;
  const bytes = decodedBytes(profiles, first);
  const canonical = measured(profiles).map(({ type, sampleStack, sampleLabelSet, sampleValue, sampleCount }) => ({
    typeId: profileTypeId(type),
    sampleStack,
    sampleLabelSet,
    sampleValue,
    sampleCount,
  }));
  const lines = functionLine && recordedLines(first, canonical, functionLine, maxLineVisits);
  return {
    decodedBytes: bytes + (lines?.bytes ?? 0),
    startMs,
    durationMs,
    functions,
    stacks,
    labelSets,
    profiles: canonical.map((profile, at) => ({ ...profile, lineCosts: lines?.costs[at] })),
  };
}

/** An upload as large as this is refused, however few its bytes: texts are referred to, and copied on their way out of this thread. */
const MAX_DECODED_BYTES = 256 * 2 ** 20;
const ROW_BYTES = 24;
const OBJECT_BYTES = 64;

/** @throws {HearthError} `FORMAT_LIMIT` */
function decodedBytes(profiles: readonly Profile[], { functions, stacks, labelSets }: Profile): number {
  const textBytes = (...texts: readonly string[]) => texts.reduce((sum, text) => sum + text.length * 2, OBJECT_BYTES);
  let bytes = stacks.length * ROW_BYTES;
  for (const { sampleStack } of profiles) bytes += sampleStack.length * ROW_BYTES;
  for (let row = 0; row < functions.length; row += 1)
    bytes += textBytes(functions.name[row]!, functions.package[row]!, functions.file[row]!);
  for (const labels of labelSets) for (const label of labels) bytes += textBytes(...label);
  if (bytes > MAX_DECODED_BYTES)
    throw new HearthError('FORMAT_LIMIT', `the profile takes ${bytes} bytes once it is read, ${MAX_DECODED_BYTES} allowed`);
  return bytes;
}

/** The number of samples is a column of every profile; beside others it needs no profile of its own. */
function measured(profiles: readonly Profile[]): readonly Profile[] {
  const withoutCounts = profiles.filter(({ type }) => !(type.sampleType === 'samples' && type.sampleUnit === 'count'));
  return withoutCounts.length > 0 ? withoutCounts : profiles;
}

function withCounts(lines: Uint8Array): Uint8Array {
  return Buffer.from(
    Buffer.from(lines)
      .toString('utf8')
      .replace(/[^\r\n]+/g, '$& 1'),
  );
}
