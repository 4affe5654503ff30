import { Injectable } from '@nestjs/common';
import { storableText, type DurationMs, type EpochMs, type TimeRange } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import type { TimePartitions } from '../../platform/database/partitions.js';
import type { NoteRemoved } from '../../platform/database/remove-rows.js';
import {
  ProcessSeriesRepository,
  type ProcessMeasurement,
  type SeriesFilter,
  type SeriesStep,
  type StepPeriods,
  type SeriesSummary,
} from './process-series.repository.js';

/** Names one process of ours remembers; more is a client that puts data into names. */
const MAX_REMEMBERED_NAMES = 100_000;

/** The id of a series' name. */
export type SeriesNameIds = (serviceId: number, name: string) => number;

/** The numbers that processes measure of themselves, such as `rss_bytes`, per flush. */
@Injectable()
export class ProcessSeries {
  /** `service id/name` -> id. Ids never change. */
  readonly #remembered = new Map<string, number>();

  constructor(private readonly repository: ProcessSeriesRepository) {}

  /** By day of the start. */
  get partitions(): TimePartitions {
    return this.repository.partitions;
  }

  /** Ids of all names in `measurements`, made where missing. Before the database transaction that adds them, so that an id is never taken back. */
  async prepare(measurements: readonly ProcessMeasurement[]): Promise<SeriesNameIds> {
    if (this.#remembered.size > MAX_REMEMBERED_NAMES) this.#remembered.clear();
    const ids = new Map<string, number>();
    const unknown = new Map<number, Set<string>>();
    for (const { serviceId, series } of measurements) {
      for (const { name } of series) {
        const key = nameKey(serviceId, name);
        const id = this.#remembered.get(key);
        if (id !== undefined) ids.set(key, id);
        else unknown.set(serviceId, (unknown.get(serviceId) ?? new Set()).add(storableText(name)));
      }
    }
    for (const [serviceId, names] of unknown) {
      for (const [name, id] of await this.repository.nameIds(serviceId, [...names])) {
        this.#remembered.set(nameKey(serviceId, name), id);
        ids.set(nameKey(serviceId, name), id);
      }
    }
    return (serviceId, name) => ids.get(nameKey(serviceId, name))!;
  }

  /** Nothing is known any more: the database is not what it was. */
  forget(): void {
    this.#remembered.clear();
  }

  /** Adds within the caller's database transaction, into partitions that are there; of two for one process and start the later stays. */
  async add(client: ClientBase, measurements: readonly ProcessMeasurement[], nameIds: SeriesNameIds): Promise<void> {
    const byPeriod = new Map(
      measurements.filter((one) => one.series.length > 0).map((one) => [`${one.serviceId}.${one.processId}.${one.startMs}`, one]),
    );
    await this.repository.add(client, [...byPeriod.values()], nameIds);
  }

  /** Removes the periods of a service that start within a range. @param note - What went, in the database transaction in which it did */
  async removeRange(serviceId: number, range: TimeRange, note: NoteRemoved): Promise<void> {
    await this.repository.removeRange(serviceId, range, note);
  }

  /** Removes what processes of a service measured of themselves. @param note - As above */
  async removeProcesses(serviceId: number, processIds: readonly number[], note: NoteRemoved): Promise<void> {
    await this.repository.removeProcesses(serviceId, processIds, note);
  }

  /** Latest, sum, average and maximum of each name of each process, by process, then name. */
  summaries(filter: SeriesFilter): Promise<SeriesSummary[]> {
    return this.repository.summaries(filter);
  }

  /** Periods there are. */
  countPeriods(filter: SeriesFilter): Promise<number> {
    return this.repository.countPeriods(filter);
  }

  /** What was measured in each step of `stepMs`, aligned to the epoch, and the periods that it was measured in. */
  async steps(
    filter: SeriesFilter,
    stepMs: DurationMs,
  ): Promise<{ readonly steps: readonly SeriesStep[]; readonly periods: ReadonlyMap<EpochMs, StepPeriods> }> {
    const [steps, periods] = await Promise.all([
      this.repository.steps(filter, stepMs),
      this.repository.periodsOfSteps(filter, stepMs),
    ]);
    return { steps, periods: new Map(periods.map((row) => [row.startMs, row])) };
  }
}

function nameKey(serviceId: number, name: string): string {
  return `${serviceId}/${storableText(name)}`;
}
