import type { DurationMs, EpochMs, ProfileTypeId, ProfileTypeKind } from '@hearth/profile-model';
import type { ProcessSeriesValue, TransactionCount } from '@hearth/wire-format';
import { ConservingRounder } from '../../../apps/agent/src/batching/conserving-rounder.js';
import { TIME_STEP_MICROS } from '../../../apps/agent/src/batching/pack-samples.js';
import { randomNumbers } from '../../../test/support/raw-flushes.js';
import { normalNumber } from './normal-number.js';
import type { Population, RecordedColumns, RecordedPeriod } from './population.js';

export const FLUSH_MS: DurationMs = 10_000;
/** Raw samples of ten busy seconds. */
const FULL_SAMPLES = 990;
/** A process is busy for a fifth of its time in the middle of the fleet; some are nearly idle, some nearly full. */
const MEDIAN_BUSY = 0.17;
const BUSY_DEVIATION = 0.5;
/** Recorded periods that one flush is drawn from: jobs of different kinds meet in ten seconds. */
const MAX_PERIODS = 3;
/** The processes of a fleet are replaced one after the other. */
const ROLLING_MS: DurationMs = 20_000;

export interface FleetPlan {
  /** Instance `n` runs program `n` modulo their number. */
  readonly populations: readonly Population[];
  /** Processes at a time. */
  readonly instances: number;
  readonly startMs: EpochMs;
  readonly untilMs: EpochMs;
  /** From one flush of a process to its next, at least ten seconds; a flush covers ten seconds. Beyond that all processes rest at the same time. */
  readonly everyMs: DurationMs;
  /** A new revision, with new processes, so often. */
  readonly deployEveryMs: DurationMs;
  readonly seed: number;
}

/** What one process did in one flush. Rows are those of its population. */
export interface Flush {
  readonly population: Population;
  /** From 0; unlike in every revision, because a process is one start of a program. */
  readonly process: number;
  /** From 0. */
  readonly revision: number;
  /** From 1, one more with each flush of the process. */
  readonly sequence: number;
  readonly startMs: EpochMs;
  readonly profiles: readonly FlushProfile[];
  readonly transactions: readonly TransactionCount[];
  readonly series: readonly ProcessSeriesValue[];
}

/** Columns of one length, each (stack, label set) once. */
export interface FlushProfile {
  readonly typeId: ProfileTypeId;
  readonly kind: ProfileTypeKind;
  readonly stack: Int32Array;
  readonly labelSet: Uint32Array;
  readonly value: Float64Array;
  /** Raw samples. */
  readonly count: Float64Array;
}

/** What a fleet would send, in order of time: flushes drawn, sample by sample, from what was recorded. The same plan gives the same. */
export function* fleetFlushes(plan: FleetPlan): Generator<Flush> {
  const { populations, instances, startMs, untilMs, everyMs, deployEveryMs } = plan;
  const random = randomNumbers(plan.seed);
  const fleet = Array.from({ length: instances }, (_, instance) => ({
    instance,
    population: populations[instance % populations.length]!,
    offsetMs: Math.floor(random() * FLUSH_MS),
    busy: MEDIAN_BUSY * Math.exp(BUSY_DEVIATION * normalNumber(random)),
    revision: 0,
    sequence: 0,
  }));
  fleet.sort((a, b) => a.offsetMs - b.offsetMs);
  for (let turnMs = startMs; turnMs < untilMs; turnMs += everyMs) {
    for (const one of fleet) {
      const flushMs = turnMs + one.offsetMs;
      if (flushMs >= untilMs) continue;
      const revision = Math.max(0, Math.floor((flushMs - startMs - one.instance * ROLLING_MS) / deployEveryMs));
      if (revision !== one.revision) [one.revision, one.sequence] = [revision, 0];
      one.sequence += 1;
      yield {
        population: one.population,
        process: one.instance + revision * instances,
        revision,
        sequence: one.sequence,
        startMs: flushMs,
        ...drawnFlush(one.population, random, Math.min(1, one.busy * (0.7 + 0.6 * random()))),
      };
    }
  }
}

/** @param busy - Share of the ten seconds, 0 to 1. */
function drawnFlush({ periods }: Population, random: () => number, busy: number) {
  const drawn = Array.from(
    { length: 1 + Math.floor(random() * MAX_PERIODS) },
    () => periods[Math.floor(random() * periods.length)]!,
  );
  const typeIds = new Set(drawn.flatMap(({ profiles }) => profiles.map(({ typeId }) => typeId)));
  return {
    profiles: Array.from(typeIds, (typeId) => drawnProfile(typeId, drawn, random, busy)),
    transactions: mergedTransactions(drawn),
    series: drawn[0]!.series,
  };
}

/** Flows are drawn raw sample by raw sample, levels row by row: a sampled heap names few places, each with many objects. */
function drawnProfile(
  typeId: ProfileTypeId,
  periods: readonly RecordedPeriod[],
  random: () => number,
  busy: number,
): FlushProfile {
  const columns = periods.flatMap(({ profiles }) => profiles.filter((profile) => profile.typeId === typeId));
  const rows = new Map<number, { stack: number; labelSet: number; value: number; count: number }>();
  const add = ({ stack, labelSet, value, count }: RecordedColumns, row: number, share: number): void => {
    const key = (stack[row]! + 1) * 65_536 + labelSet[row]!;
    const known = rows.get(key);
    if (known === undefined)
      rows.set(key, { stack: stack[row]!, labelSet: labelSet[row]!, value: value[row]! * share, count: count[row]! * share });
    else {
      known.value += value[row]! * share;
      known.count += count[row]! * share;
    }
  };
  for (const one of columns) {
    if (one.kind === 'level') {
      const draws = Math.ceil(one.stack.length / columns.length);
      for (let draw = 0; draw < draws; draw += 1) add(one, Math.floor(random() * one.stack.length), 1);
    } else {
      const samples = one.countsUntil.at(-1)!;
      const draws = Math.round((FULL_SAMPLES * busy) / columns.length);
      for (let draw = 0; draw < draws; draw += 1) {
        const row = rowAt(one.countsUntil, random() * samples);
        add(one, row, 1 / one.count[row]!);
      }
    }
  }
  const drawn = [...rows.values()];
  const { kind } = columns[0]!;
  const rounder = new ConservingRounder(); // as the agent rounds what it has sampled
  const step = kind === 'flow' ? TIME_STEP_MICROS : 1;
  return {
    typeId,
    kind,
    stack: Int32Array.from(drawn, ({ stack }) => stack),
    labelSet: Uint32Array.from(drawn, ({ labelSet }) => labelSet),
    value: Float64Array.from(drawn, ({ value }) => rounder.round(value, step)),
    count: Float64Array.from(drawn, ({ count }) => Math.round(count)),
  };
}

/** Each label set, kind and outcome once. */
function mergedTransactions(periods: readonly RecordedPeriod[]): TransactionCount[] {
  const byKey = new Map<string, TransactionCount>();
  for (const one of periods.flatMap(({ transactions }) => transactions))
    byKey.set(`${one.labelSet} ${one.kind} ${one.outcome}`, one);
  return [...byKey.values()];
}

/** First row whose running sum is above `value`. */
function rowAt(sumsUntil: Float64Array, value: number): number {
  let [low, high] = [0, sumsUntil.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sumsUntil[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function samplesOf({ count }: FlushProfile): number {
  return count.reduce((sum, one) => sum + one, 0);
}
