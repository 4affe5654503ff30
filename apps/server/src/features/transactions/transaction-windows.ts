import { Injectable } from '@nestjs/common';
import { DurationSketch, type EpochMs, type TimeRange } from '@hearth/profile-model';
import type { TransactionKind } from '@hearth/wire-format';
import type { ClientBase } from 'pg';
import type { Freshness } from '../../platform/database/index.js';
import type { TimePartitions } from '../../platform/database/partitions.js';
import type { NoteRemoved } from '../../platform/database/remove-rows.js';
import {
  TransactionWindowRepository,
  type LabelledRows,
  type TransactionWindow,
  type TransactionWindowFilter,
  type TransactionWindowKey,
} from './transaction-window.repository.js';

/** One read row: its sketch ready to be asked or merged. */
interface Statistics extends TransactionWindowKey {
  readonly count: number;
  readonly durationSumMicros: number;
  readonly sketch: DurationSketch;
}
export interface TransactionStatistics extends Statistics {
  readonly kind: TransactionKind;
}
/** Its durations, and those of its sketch, are nanoseconds. */
export interface MeasureStatistics extends Omit<Statistics, 'durationSumMicros'> {
  readonly durationSumNanos: number;
}

/** How many transactions finished, how they ended and how long they took: per process, minute, label set and outcome. And the same of snippets. */
@Injectable()
export class TransactionWindows {
  constructor(private readonly repository: TransactionWindowRepository) {}

  /** By day of the minute. */
  get partitions(): TimePartitions {
    return this.repository.partitions;
  }

  /**
   * The rows of the minutes that start within [fromMs, untilMs), by minute, then process. A range that cuts a minute
   * should be widened to whole minutes, for its samples too: counts are not kept finer.
   */
  async read(filter: TransactionWindowFilter, freshness: Freshness = 'recent'): Promise<TransactionStatistics[]> {
    const rows = await this.repository.read('transactions', filter, freshness);
    return rows.flatMap((row) => (row.kind === 'measure' ? [] : [{ ...statisticsOf(row), kind: row.kind }]));
  }

  /** The same of snippets timed by `measure()`, which are no transactions. */
  async readMeasures(filter: TransactionWindowFilter, freshness: Freshness = 'recent'): Promise<MeasureStatistics[]> {
    return (await this.repository.read('measures', filter, freshness)).map((row) => {
      const { durationSumMicros: durationSumNanos, ...rest } = statisticsOf(row);
      return { ...rest, durationSumNanos };
    });
  }

  /**
   * Start of the first day of which there are counts, which are forgotten by the day; `undefined`: there are none. Those of a pinned revision are
   * not forgotten: asked for it alone, the day since which they are kept.
   */
  async countedSince(
    { serviceId, revisionIds }: Pick<TransactionWindowFilter, 'serviceId' | 'revisionIds'>,
    freshness: Freshness,
  ): Promise<EpochMs | undefined> {
    return this.repository.firstDay(serviceId, revisionIds?.length === 1 ? revisionIds[0] : undefined, freshness);
  }

  /** Removes whole minutes of a service. @param note - What went, in the database transaction in which it did */
  async removeRange(serviceId: number, range: TimeRange, note: NoteRemoved): Promise<void> {
    await this.repository.removeRange(serviceId, range, note);
  }

  /** Removes what was counted for label sets, or for processes, of a service. @param note - As above */
  async removeLabelled(serviceId: number, labelled: LabelledRows, note: NoteRemoved): Promise<void> {
    await this.repository.removeLabelled(serviceId, labelled, note);
  }

  /** Adds within the caller's database transaction, into partitions that are there; windows of one key are summed. */
  async add(client: ClientBase, windows: readonly TransactionWindow[]): Promise<void> {
    await this.repository.add(client, mergeSameKeys(windows));
  }
}

function statisticsOf({ sketchBucket, sketchCount, ...row }: TransactionWindow): Statistics {
  return { ...row, sketch: DurationSketch.fromBuckets(sketchBucket, sketchCount) };
}

/** One statement may touch a row once. */
function mergeSameKeys(windows: readonly TransactionWindow[]): TransactionWindow[] {
  const byKey = new Map<string, TransactionWindow>();
  for (const window of windows) {
    const { serviceId, windowStartMs, processId, revisionId, environmentId, labelSetId, kind, outcome } = window;
    const key = [serviceId, windowStartMs, processId, revisionId, environmentId, labelSetId, kind, outcome].join();
    const known = byKey.get(key);
    byKey.set(key, known === undefined ? window : merged(known, window));
  }
  return [...byKey.values()];
}

function merged(a: TransactionWindow, b: TransactionWindow): TransactionWindow {
  const sketch = DurationSketch.fromBuckets(a.sketchBucket, a.sketchCount);
  sketch.merge(DurationSketch.fromBuckets(b.sketchBucket, b.sketchCount));
  const { bucket, count } = sketch.toBuckets();
  return {
    ...a,
    count: a.count + b.count,
    durationSumMicros: a.durationSumMicros + b.durationSumMicros,
    sketchBucket: bucket,
    sketchCount: count,
  };
}
