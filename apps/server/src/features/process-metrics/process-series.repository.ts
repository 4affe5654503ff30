import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs, TimeRange } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { arrayText, nestedArrayText, ReadDatabase } from '../../platform/database/index.js';
import { TimePartitions } from '../../platform/database/partitions.js';
import type { NoteRemoved } from '../../platform/database/remove-rows.js';

/** What one process measured of itself in one period. */
export interface ProcessMeasurement {
  readonly serviceId: number;
  readonly processId: number;
  readonly revisionId: number;
  readonly environmentId: number;
  readonly startMs: EpochMs;
  readonly durationMs: DurationMs;
  /** The unit is the last part of a name, as `rss_bytes`. */
  readonly series: readonly { readonly name: string; readonly value: number }[];
}

export interface SeriesFilter {
  readonly serviceId: number;
  /** Periods that start within [fromMs, untilMs). */
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
  /** Each list: any of them; undefined is all. */
  readonly names?: readonly string[] | undefined;
  readonly environmentIds?: readonly number[] | undefined;
  readonly revisionIds?: readonly number[] | undefined;
  readonly processIds?: readonly number[] | undefined;
}

/** One name of one process, over the periods that were asked for. */
export interface SeriesSummary {
  readonly processId: number;
  readonly name: string;
  /** Value of the newest period. */
  readonly latest: number;
  readonly latestStartMs: EpochMs;
  readonly sum: number;
  readonly avg: number;
  readonly max: number;
  /** Periods it is made of. */
  readonly count: number;
}

/** One name, of all periods that start within one step. */
export interface SeriesStep {
  readonly startMs: EpochMs;
  readonly name: string;
  readonly sum: number;
  readonly max: number;
  /** The highest value of a period divided by its length in seconds, of a shorter one than a second by one: the agent cuts some to milliseconds. */
  readonly maxPerSecond: number;
  /** Periods it is made of. */
  readonly count: number;
}

/** All periods that start within one step, whatever was measured in them. */
export interface StepPeriods {
  readonly startMs: EpochMs;
  readonly processes: number;
  /** Of all of them together. */
  readonly durationMs: DurationMs;
}

const DAY_MS = 86_400_000;

const PERIODS = `
  FROM process_series p
  WHERE p.service_id = $1 AND p.start_ms >= $2 AND p.start_ms < $3
    AND ($4::bigint[] IS NULL OR p.environment_id = ANY ($4)) AND ($5::bigint[] IS NULL OR p.revision_id = ANY ($5))
    AND ($6::bigint[] IS NULL OR p.process_id = ANY ($6))`;

const FILTERED = `
  FROM process_series p
  CROSS JOIN LATERAL unnest(p.name_id, p.value) AS measured (name_id, value)
  JOIN series_name n ON n.service_id = $1 AND n.id = measured.name_id
  WHERE p.service_id = $1 AND p.start_ms >= $2 AND p.start_ms < $3 AND ($4::text[] IS NULL OR n.name = ANY ($4))
    AND ($5::bigint[] IS NULL OR p.environment_id = ANY ($5)) AND ($6::bigint[] IS NULL OR p.revision_id = ANY ($6))
    AND ($7::bigint[] IS NULL OR p.process_id = ANY ($7))`;

/** Owns process_series, partitioned by day, and series_name. */
@Injectable()
export class ProcessSeriesRepository {
  readonly partitions: TimePartitions;

  constructor(
    private readonly dataSource: DataSource,
    private readonly reads: ReadDatabase,
  ) {
    this.partitions = new TimePartitions(dataSource, 'process_series', { widthMs: DAY_MS });
  }

  /** Ids of names, made where missing. Outside of any other database transaction, so that an id is never taken back. */
  async nameIds(serviceId: number, names: readonly string[]): Promise<Map<string, number>> {
    const insert = 'INSERT INTO series_name (service_id, name) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING';
    await this.dataSource.query(insert, [serviceId, [...names].sort()]);
    const rows = (await this.dataSource.query('SELECT id, name FROM series_name WHERE service_id = $1 AND name = ANY ($2)', [
      serviceId,
      names,
    ])) as { id: number; name: string }[];
    return new Map(rows.map((row) => [row.name, row.id]));
  }

  /**
   * Adds within the caller's database transaction. A period that is there already is replaced.
   *
   * @param measurements No two of one process and start.
   */
  async add(
    client: ClientBase,
    measurements: readonly ProcessMeasurement[],
    nameIds: (serviceId: number, name: string) => number,
  ): Promise<void> {
    if (measurements.length === 0) return;
    const column = (of: (measurement: ProcessMeasurement) => number) => arrayText(measurements.map(of));
    await client.query(
      `INSERT INTO process_series (service_id, start_ms, process_id, revision_id, environment_id, duration_ms, name_id, value)
       SELECT a, b, c, d, e, f, g::int[], h::float8[]
       FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[], $7::text[], $8::text[]) AS new (a, b, c, d, e, f, g, h)
       ORDER BY a, b, c
       ON CONFLICT (service_id, start_ms, process_id) DO UPDATE SET name_id = excluded.name_id, value = excluded.value`,
      [
        column((one) => one.serviceId),
        column((one) => one.startMs),
        column((one) => one.processId),
        column((one) => one.revisionId),
        column((one) => one.environmentId),
        column((one) => one.durationMs),
        // An array of arrays must be rectangular in Postgres, so each goes as its own text.
        nestedArrayText(measurements.map((one) => one.series.map(({ name }) => nameIds(one.serviceId, name)))),
        nestedArrayText(measurements.map((one) => one.series.map(({ value }) => value))),
      ],
    );
  }

  /** By process, then name. */
  async summaries(filter: SeriesFilter): Promise<SeriesSummary[]> {
    return this.#read<SeriesSummary>(
      `SELECT p.process_id AS "processId", n.name, (array_agg(measured.value ORDER BY p.start_ms DESC))[1] AS latest,
         max(p.start_ms) AS "latestStartMs", sum(measured.value) AS sum, avg(measured.value) AS avg, max(measured.value) AS max, count(*) AS count
       ${FILTERED} GROUP BY p.process_id, n.name ORDER BY p.process_id, n.name`,
      filter,
    );
  }

  async countPeriods(filter: SeriesFilter): Promise<number> {
    const [row] = await this.#periods<{ n: number }>(`SELECT count(*) AS n ${PERIODS}`, filter);
    return row!.n;
  }

  /** By step, aligned to the epoch: who measured anything, and for how long. */
  async periodsOfSteps(filter: SeriesFilter, stepMs: DurationMs): Promise<StepPeriods[]> {
    return this.#periods(
      `SELECT p.start_ms / ${Number(stepMs)} * ${Number(stepMs)} AS "startMs", count(DISTINCT p.process_id) AS processes,
         sum(greatest(p.duration_ms, 1)) AS "durationMs"
       ${PERIODS} GROUP BY 1`,
      filter,
    );
  }

  /** By step, aligned to the epoch, then name. */
  async steps(filter: SeriesFilter, stepMs: DurationMs): Promise<SeriesStep[]> {
    return this.#read<SeriesStep>(
      `SELECT p.start_ms / ${Number(stepMs)} * ${Number(stepMs)} AS "startMs", n.name, sum(measured.value) AS sum, max(measured.value) AS max,
         max(measured.value / (greatest(p.duration_ms, 1000) / 1000.0)) AS "maxPerSecond", count(*) AS count
       ${FILTERED} GROUP BY 1, n.name ORDER BY 1, n.name`,
      filter,
    );
  }

  /** Removes the periods of a service that start within [fromMs, untilMs). */
  async removeRange(serviceId: number, range: TimeRange, note: NoteRemoved): Promise<void> {
    const where = 'service_id = $1 AND start_ms >= $2 AND start_ms < $3';
    await this.partitions.removeRows({ where, parameters: [serviceId, range.fromMs, range.untilMs] }, note, range);
  }

  /** Removes what processes of a service measured of themselves. */
  async removeProcesses(serviceId: number, processIds: readonly number[], note: NoteRemoved): Promise<void> {
    if (processIds.length === 0) return;
    const where = 'service_id = $1 AND process_id = ANY ($2)';
    await this.partitions.removeRows({ where, parameters: [serviceId, processIds] }, note);
  }

  async #periods<Row>(
    query: string,
    { serviceId, fromMs, untilMs, environmentIds, revisionIds, processIds }: SeriesFilter,
  ): Promise<Row[]> {
    const parameters = [serviceId, fromMs, untilMs, environmentIds ?? null, revisionIds ?? null, processIds ?? null];
    return (await this.reads.read('recent', (dataSource) => dataSource.query(query, parameters))) as Row[];
  }

  async #read<Row>(query: string, filter: SeriesFilter): Promise<Row[]> {
    return (await this.reads.read('recent', (dataSource) => dataSource.query(query, parametersOf(filter)))) as Row[];
  }
}

function parametersOf(filter: SeriesFilter): unknown[] {
  return [
    filter.serviceId,
    filter.fromMs,
    filter.untilMs,
    filter.names ?? null,
    filter.environmentIds ?? null,
    filter.revisionIds ?? null,
    filter.processIds ?? null,
  ];
}
