import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs, LineCosts, TimeRange } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { arrayText, nestedArrayText, ReadDatabase } from '../../platform/database/index.js';
import { TimePartitions } from '../../platform/database/partitions.js';
import type { NoteRemoved } from '../../platform/database/remove-rows.js';
import { decodeLineCosts } from './line-cost-codec.js';

/** The lines of one profile of one process. */
export interface LineRecording {
  readonly serviceId: number;
  readonly profileTypeId: number;
  readonly revisionId: number;
  readonly environmentId: number;
  readonly processId: number;
  readonly startMs: EpochMs;
  readonly durationMs: DurationMs;
  /** Of all its samples, each once: lines are not told apart by them, and go when one of them has to. */
  readonly labelSetIds: readonly number[];
  /** As `encodeLineCosts` makes it. */
  readonly data: Uint8Array;
}

/** A stored recording. */
export interface ReadRecording {
  readonly startMs: EpochMs;
  readonly durationMs: DurationMs;
  /** Levels: value x milliseconds. */
  readonly costs: LineCosts;
}

export interface LineFilter {
  readonly serviceId: number;
  readonly profileTypeId: number;
  /** Recordings that start within [fromMs, untilMs). */
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
  readonly revisionId: number;
  /** Each list: any of them; undefined is all. */
  readonly environmentIds?: readonly number[] | undefined;
  readonly processIds?: readonly number[] | undefined;
}

const DAY_MS = 86_400_000;
/** Read at a time. Each holds a few kB, at the worst some MB. */
const PAGE_ROWS = 20;

const LOWEST_ID = '00000000-0000-0000-0000-000000000000';

const FROM_WHERE = `
  FROM line_recording
  WHERE service_id = $1 AND start_ms >= $2 AND start_ms < $3 AND profile_type_id = $4 AND revision_id = $5
    AND ($6::bigint[] IS NULL OR environment_id = ANY ($6)) AND ($7::bigint[] IS NULL OR process_id = ANY ($7))`;
const READ = `
  SELECT start_ms AS "startMs", id, duration_ms AS "durationMs", data ${FROM_WHERE} AND (start_ms, id) > ($8, $9)
  ORDER BY start_ms, id LIMIT ${PAGE_ROWS}`;

/** Owns line_recording: what lines cost where lines were recorded, a row for each profile, partitioned by day. */
@Injectable()
export class LineRecordings {
  /** By day of the start. */
  readonly partitions: TimePartitions;

  constructor(
    dataSource: DataSource,
    private readonly reads: ReadDatabase,
  ) {
    this.partitions = new TimePartitions(dataSource, 'line_recording', { widthMs: DAY_MS });
  }

  /** Within the caller's database transaction, into partitions that are there. */
  async add(client: ClientBase, recordings: readonly LineRecording[]): Promise<void> {
    if (recordings.length === 0) return;
    const column = (of: (recording: LineRecording) => number) => arrayText(recordings.map(of));
    await client.query(
      `INSERT INTO line_recording (service_id, start_ms, profile_type_id, revision_id, environment_id, process_id, duration_ms, label_set_ids, data)
       SELECT a, b, c, d, e, f, g, h::bigint[], i
       FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::int[], $8::text[], $9::bytea[])
         AS new (a, b, c, d, e, f, g, h, i)`,
      [
        column((one) => one.serviceId),
        column((one) => one.startMs),
        column((one) => one.profileTypeId),
        column((one) => one.revisionId),
        column((one) => one.environmentId),
        column((one) => one.processId),
        column((one) => one.durationMs),
        nestedArrayText(recordings.map((one) => one.labelSetIds)),
        recordings.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
      ],
    );
  }

  async count(filter: LineFilter): Promise<number> {
    const [row] = (await this.reads.read('recent', (dataSource) =>
      dataSource.query(`SELECT count(*) AS n ${FROM_WHERE}`, parametersOf(filter)),
    )) as { n: number }[];
    return row!.n;
  }

  /** Oldest first. The event loop is given to others between two of them. @throws {HearthError} `LINES_DAMAGED` */
  async *read(filter: LineFilter): AsyncGenerator<ReadRecording> {
    for (let last: Pick<Row, 'startMs' | 'id'> = { startMs: -1, id: LOWEST_ID }; ;) {
      const page = (await this.reads.read('recent', (dataSource) =>
        dataSource.query(READ, [...parametersOf(filter), last.startMs, last.id]),
      )) as Row[];
      for (const { startMs, durationMs, data } of page) {
        yield { startMs, durationMs, costs: decodeLineCosts(data) };
        await setImmediate();
      }
      if (page.length < PAGE_ROWS) return;
      last = page.at(-1)!;
    }
  }

  /** Removes the recordings of a service that start within [fromMs, untilMs). @param note - What went, in the database transaction in which it did */
  async removeRange(serviceId: number, range: TimeRange, note: NoteRemoved): Promise<void> {
    const where = 'service_id = $1 AND start_ms >= $2 AND start_ms < $3';
    await this.partitions.removeRows({ where, parameters: [serviceId, range.fromMs, range.untilMs] }, note, range);
  }

  /** Removes recordings in which there is something of these label sets, or that are of these processes. @param note - As above */
  async removeLabelled(
    serviceId: number,
    { labelSetIds, processIds }: { readonly labelSetIds: readonly number[]; readonly processIds: readonly number[] },
    note: NoteRemoved,
  ): Promise<void> {
    const where = 'service_id = $1 AND (label_set_ids && $2 OR process_id = ANY ($3))';
    await this.partitions.removeRows({ where, parameters: [serviceId, labelSetIds, processIds] }, note);
  }
}

interface Row {
  readonly startMs: EpochMs;
  readonly id: string;
  readonly durationMs: DurationMs;
  readonly data: Buffer;
}

function parametersOf(filter: LineFilter): unknown[] {
  const { serviceId, fromMs, untilMs, profileTypeId, revisionId, environmentIds, processIds } = filter;
  return [serviceId, fromMs, untilMs, profileTypeId, revisionId, environmentIds ?? null, processIds ?? null];
}
