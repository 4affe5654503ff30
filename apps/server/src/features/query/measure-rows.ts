import { DurationSketch, MEASURE_LABEL, labelValue, type DurationMs, type EpochMs, type LabelSet } from '@hearth/profile-model';
import type { MeasureAnswer, MeasureFigures } from '@hearth/query-contract';
import { OTHER } from '../limits/index.js';

const NANOS_PER_MICRO = 1_000;

/** Runs of one snippet that ended alike, in one minute of one process. */
export interface MeasuredRuns {
  readonly labelSetId: number;
  readonly revisionId: number;
  readonly windowStartMs: EpochMs;
  readonly outcome: string;
  readonly count: number;
  readonly durationSumNanos: number;
  /** Of nanoseconds. */
  readonly sketch: DurationSketch;
}

export interface MeasureInput {
  readonly runs: readonly MeasuredRuns[];
  readonly labelSets: ReadonlyMap<number, LabelSet>;
  readonly revisionNames: ReadonlyMap<number, string>;
  /** The part of the range in which the selected processes lived; of one revision, in which its did. */
  readonly observedMs: (revisionId: number | undefined) => DurationMs;
}

class Tally {
  lastMs: EpochMs = -Infinity;
  #count = 0;
  #errors = 0;
  #sumNanos = 0;
  readonly #sketch = new DurationSketch();

  add(runs: MeasuredRuns): void {
    this.lastMs = Math.max(this.lastMs, runs.windowStartMs);
    this.#count += runs.count;
    if (runs.outcome === 'error' || runs.outcome === 'timeout') this.#errors += runs.count;
    this.#sumNanos += runs.durationSumNanos;
    this.#sketch.merge(runs.sketch);
  }

  figures(observedMs: DurationMs): MeasureFigures {
    const quantile = (q: number): number => Math.round(this.#sketch.quantile(q)) / NANOS_PER_MICRO;
    const sum = this.#sumNanos / NANOS_PER_MICRO;
    return {
      count: this.#count,
      errors: this.#errors,
      perMinute: observedMs > 0 ? (this.#count * 60_000) / observedMs : 0,
      durationMicros: {
        p50: quantile(0.5),
        p95: quantile(0.95),
        p99: quantile(0.99),
        max: quantile(1),
        mean: sum / this.#count,
        sum,
      },
    };
  }
}

/** One row per snippet, the longest altogether first, and in it one per revision. */
export function measureRows({ runs, labelSets, revisionNames, observedMs }: MeasureInput): MeasureAnswer[] {
  const all = new Map<string, Tally>();
  const byRevision = new Map<string, Map<number, Tally>>();
  for (const one of runs) {
    if (one.count === 0) continue;
    const name = labelValue(labelSets.get(one.labelSetId) ?? [], MEASURE_LABEL) ?? OTHER;
    tallyOf(all, name).add(one);
    let revisions = byRevision.get(name);
    if (revisions === undefined) byRevision.set(name, (revisions = new Map<number, Tally>()));
    tallyOf(revisions, one.revisionId).add(one);
  }
  return [...all]
    .map(([name, tally]) => ({
      name,
      ...tally.figures(observedMs(undefined)),
      byRevision: [...byRevision.get(name)!]
        .sort(([a, first], [b, second]) => second.lastMs - first.lastMs || b - a)
        .map(([id, one]) => ({ revision: revisionNames.get(id) ?? '', ...one.figures(observedMs(id)) })),
    }))
    .sort((a, b) => b.durationMicros.sum - a.durationMicros.sum || (a.name < b.name ? -1 : 1));
}

function tallyOf<Key>(tallies: Map<Key, Tally>, key: Key): Tally {
  let tally = tallies.get(key);
  if (tally === undefined) tallies.set(key, (tally = new Tally()));
  return tally;
}
