import type { Profile } from '@hearth/profile-model';
import { NO_PARENT, PROFILE_TYPE_IDS, canonicalFunction, parseProfileTypeId } from '@hearth/profile-model';
import { FormatError } from '../errors.js';
import type { FormatLimits } from '../limits.js';
import { assertWithin } from '../limits.js';
import { SamplesByType, tidyFunction } from '../samples-by-type.js';
import { readCpuprofileNodes } from './cpuprofile-nodes.js';

/** V8's own root: everything is below it, so it says nothing. */
const ROOT_NAME = '(root)';

/**
 * A wall-clock profile, with V8's `(idle)` and `(program)` as they are. A sample is charged with the time since the sample before it, the first with the time since
 * the start; a clock that went back is held until it is past its furthest again. The start is 0: the file's clock is not the time of day.
 *
 * @throws {FormatError} `CPUPROFILE_*`, `FORMAT_LIMIT`, `FORMAT_VALUE`
 */
export function cpuprofileToProfile(json: object, limits: FormatLimits, rootDir: string): Profile {
  const samples = new SamplesByType([parseProfileTypeId(PROFILE_TYPE_IDS.wall)], limits);
  const noLabels = samples.labelSetRow([]);
  const nodes = readCpuprofileNodes(json, limits);
  const stackRows = new Int32Array(nodes.name.length);
  nodes.name.forEach((name, row) => {
    const parent = nodes.parent[row]!;
    if (parent === -1 && name === ROOT_NAME) {
      stackRows[row] = NO_PARENT;
      return;
    }
    const functionRow = samples.functionRow(tidyFunction(canonicalFunction({ name, scriptName: nodes.url[row]! }, rootDir)));
    stackRows[row] = samples.stackRow(parent === -1 ? NO_PARENT : stackRows[parent]!, functionRow);
  });

  const { sampleIds, micros, durationMicros } = readTimes(json, limits);
  let nowMicros = 0;
  let furthestMicros = 0;
  sampleIds.forEach((id, index) => {
    const row = nodes.rowOfId.get(id as number);
    if (row === undefined) throw new FormatError('CPUPROFILE_SAMPLES', `sample ${index} names a node that is not there`);
    nowMicros += micros[index]!;
    const furthest = Math.max(furthestMicros, Math.round(nowMicros));
    samples.addSample(stackRows[row]!, noLabels, [furthest - furthestMicros], 1);
    furthestMicros = furthest;
  });
  return samples.profiles(0, Math.round(durationMicros / 1000), true)[0]!;
}

interface SampleTimes {
  readonly sampleIds: readonly unknown[];
  /** Since the sample before; of the first since the start. */
  readonly micros: readonly number[];
  readonly durationMicros: number;
}

function readTimes(json: object, limits: FormatLimits): SampleTimes {
  const { head, samples, timeDeltas, timestamps, startTime, endTime } = json as Readonly<Record<string, unknown>>;
  if (!Array.isArray(samples)) throw new FormatError('CPUPROFILE_SAMPLES', 'samples is not a list');
  assertWithin(samples.length, limits.maxRows, 'samples');
  // The older layout has its start and end in seconds, and the time of each sample in place of the distances.
  const microsPerUnit = head === undefined ? 1 : 1e6;
  const startMicros = finite(startTime, 'startTime') * microsPerUnit;
  const durationMicros = Math.max(0, finite(endTime, 'endTime') * microsPerUnit - startMicros);
  const times = timeDeltas ?? timestamps;
  if (!Array.isArray(times) || times.length !== samples.length) {
    throw new FormatError(
      'CPUPROFILE_SAMPLES',
      `${samples.length} samples with ${Array.isArray(times) ? times.length : 'no'} times`,
    );
  }
  const numbers = times.map((time: unknown) => finite(time, 'time'));
  const micros =
    timeDeltas === undefined ? numbers.map((time, index) => time - (index === 0 ? startMicros : numbers[index - 1]!)) : numbers;
  return { sampleIds: samples, micros, durationMicros };
}

function finite(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new FormatError('CPUPROFILE_SAMPLES', `${what} is ${String(value).slice(0, 40)}, not a number`);
  return value;
}
