import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs, TimeRange } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { TimePartitions, type DroppablePartition } from '../../platform/database/partitions.js';
import { LEVELS, PINNED_TABLE, type Level, type LevelName, type UpperLevel } from './level.js';
import { versionQuery } from './version-query.js';
import {
  DAY_MS,
  hasNone,
  IS_KEY,
  isWithin,
  KEY_AS_FIELDS,
  KEY_COLUMNS,
  keyAt,
  keyParameters,
  windowText,
  type WindowKey,
} from './window.js';

/** Counts of raw profiles: `sequence` of those that arrived, `builtSequence` of those within the segment. Pending while they differ. */
export interface WindowState {
  readonly sequence: number;
  readonly builtSequence: number;
  /** Of hours and days: what is below it has been merged into it for good, and what is there now came later. */
  readonly isSealed: boolean;
}

/** Between the end of a window and the arrival of its last profile, at most. */
const MAX_LATE_MS: DurationMs = 8 * DAY_MS;

/** A day of which nothing is to come from below, and that ended before `$1`. */
const IS_PAST_DAY = `is_sealed AND sequence = built_sequence AND window_start_ms + ${DAY_MS} <= $1`;

/** Owns profile_window, hour_window and day_window: which windows there are, and which hold something that their segment does not. */
@Injectable()
export class WindowRepository {
  readonly partitions: Readonly<Record<LevelName, TimePartitions>>;

  constructor(private readonly dataSource: DataSource) {
    // Rows that are updated over and over: room for the next version beside the last.
    const of = ({ windowTable, partitionMs }: Level) =>
      new TimePartitions(dataSource, windowTable, { widthMs: partitionMs, storage: 'fillfactor = 80' });
    this.partitions = { minute: of(LEVELS.minute), hour: of(LEVELS.hour), day: of(LEVELS.day) };
  }

  /**
   * Takes `blocks` sequence numbers of each minute. Locks the rows in key order until the database transaction ends, so
   * that a builder sees either all of a window's blocks up to its sequence or waits for them.
   *
   * @param windows No two of one key.
   * @returns The last number taken, by `windowText`: the window's own are those up to it.
   */
  async takeSequences(
    client: ClientBase,
    windows: readonly (WindowKey & { readonly blocks: number })[],
  ): Promise<Map<string, number>> {
    if (windows.length === 0) return new Map();
    const taken = await client.query(
      `INSERT INTO profile_window AS w (${KEY_COLUMNS}, sequence)
       SELECT a, b, c, d, e, f FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[]) AS new (a, b, c, d, e, f)
       ORDER BY a, b, c, d, e
       ON CONFLICT (${KEY_COLUMNS}) DO UPDATE SET sequence = w.sequence + excluded.sequence
       RETURNING ${KEY_AS_FIELDS}, sequence`,
      [
        windows.map((one) => one.serviceId),
        windows.map((one) => one.profileTypeId),
        windows.map((one) => one.windowStartMs),
        windows.map((one) => one.revisionId),
        windows.map((one) => one.environmentId),
        windows.map((one) => one.blocks),
      ],
    );
    return new Map((taken.rows as (WindowKey & { sequence: number })[]).map((row) => [windowText(row), row.sequence]));
  }

  /** Adds what a window of the level below has built: the hour or day is pending until it holds it too. Locks its row, as `lock` does. */
  async raise(client: ClientBase, { windowTable }: Level, key: WindowKey, by: number): Promise<void> {
    await client.query(
      `INSERT INTO ${windowTable} AS w (${KEY_COLUMNS}, sequence) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (${KEY_COLUMNS}) DO UPDATE SET sequence = w.sequence + excluded.sequence`,
      [...keyParameters(key), by],
    );
  }

  /** Pending windows that start before `beforeMs`, oldest first. */
  async listPending(beforeMs: EpochMs, limit: number, { windowTable }: Level = LEVELS.minute): Promise<WindowKey[]> {
    return (await this.dataSource.query(
      `SELECT ${KEY_AS_FIELDS} FROM ${windowTable} WHERE sequence > built_sequence AND window_start_ms < $1 ORDER BY window_start_ms, service_id LIMIT $2`,
      [beforeMs, limit],
    )) as WindowKey[];
  }

  /** Pending windows of one service that start at one time. */
  async listPendingOf(serviceId: number, windowStartMs: EpochMs, { windowTable }: Level = LEVELS.minute): Promise<WindowKey[]> {
    return (await this.dataSource.query(
      `SELECT ${KEY_AS_FIELDS} FROM ${windowTable} WHERE sequence > built_sequence AND service_id = $1 AND window_start_ms = $2 ORDER BY ${KEY_COLUMNS}`,
      [serviceId, windowStartMs],
    )) as WindowKey[];
  }

  /** How many minutes wait to be built, and since when the oldest does. */
  async pendingBacklog(): Promise<{ count: number; oldestWindowStartMs: EpochMs | null }> {
    const rows = (await this.dataSource.query(
      'SELECT count(*) AS count, min(window_start_ms) AS "oldestWindowStartMs" FROM profile_window WHERE sequence > built_sequence',
    )) as { count: number; oldestWindowStartMs: EpochMs | null }[];
    return rows[0]!;
  }

  /**
   * Whether a service has profiles of some time. Whatever there is has a window; the totals of releases are looked at too, because what their
   * stacks were cannot be had back.
   */
  async hasAny(client: ClientBase, serviceId: number, { fromMs, untilMs }: TimeRange): Promise<boolean> {
    const { minute, hour, day } = LEVELS;
    const tables = [minute.windowTable, hour.windowTable, day.windowTable, day.detailTable];
    const isThere = (table: string) =>
      `EXISTS (SELECT FROM ${table} WHERE service_id = $1 AND window_start_ms >= $2 AND window_start_ms < $3)`;
    const found = await client.query(`SELECT ${tables.map(isThere).join(' OR ')} AS found`, [serviceId, fromMs, untilMs]);
    return (found.rows as { found: boolean }[])[0]!.found;
  }

  /** From the first to the end of the last day of which anything of a revision is stored; `undefined`: nothing is. */
  async lifeOf({ serviceId, revisionId }: Pick<WindowKey, 'serviceId' | 'revisionId'>): Promise<TimeRange | undefined> {
    const { minute, hour, day } = LEVELS;
    const starts = [PINNED_TABLE, day.windowTable, hour.windowTable, minute.windowTable].map(
      (table) =>
        `SELECT min(window_start_ms) AS first, max(window_start_ms) AS last FROM ${table} WHERE service_id = $1 AND revision_id = $2`,
    );
    const rows = (await this.dataSource.query(
      `SELECT min(first) / ${DAY_MS} * ${DAY_MS} AS "fromMs", (max(last) / ${DAY_MS} + 1) * ${DAY_MS} AS "untilMs" FROM (${starts.join(' UNION ALL ')}) AS starts`,
      [serviceId, revisionId],
    )) as { fromMs: EpochMs | null; untilMs: EpochMs | null }[];
    const { fromMs, untilMs } = rows[0]!;
    return fromMs === null || untilMs === null ? undefined : { fromMs, untilMs };
  }

  /** A text that changes when a profile arrives in what `query` selects, processes and labels aside, and not when it is built. */
  async versionOf(query: Parameters<typeof versionQuery>[0]): Promise<string> {
    const { text, values } = versionQuery(query);
    return ((await this.dataSource.query(text, values)) as { version: string }[])[0]!.version;
  }

  /**
   * Locks one window until the database transaction ends: what would go into it waits, and another builder too.
   *
   * Whoever locks windows of several levels begins with the lowest: so nobody waits in a circle.
   */
  async lock(client: ClientBase, key: WindowKey, { name, windowTable }: Level = LEVELS.minute): Promise<WindowState | undefined> {
    const locked = await client.query(
      `SELECT sequence, built_sequence AS "builtSequence", ${name === 'minute' ? 'false' : 'is_sealed'} AS "isSealed" FROM ${windowTable} WHERE ${IS_KEY} FOR UPDATE`,
      keyParameters(key),
    );
    return (locked.rows as WindowState[])[0];
  }

  /** The same of a minute; one that is not there any more, because its partition was dropped, is made again without blocks. */
  async lockOrMake(client: ClientBase, key: WindowKey): Promise<WindowState> {
    await client.query(
      `INSERT INTO ${LEVELS.minute.windowTable} (${KEY_COLUMNS}, sequence) VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT DO NOTHING`,
      keyParameters(key),
    );
    return (await this.lock(client, key))!;
  }

  async setBuilt(
    client: ClientBase,
    key: WindowKey,
    builtSequence: number,
    { windowTable }: Level = LEVELS.minute,
  ): Promise<void> {
    await client.query(`UPDATE ${windowTable} SET built_sequence = $6 WHERE ${IS_KEY}`, [...keyParameters(key), builtSequence]);
  }

  /** Something was taken out of a window of hours or days that is locked: as if a profile had arrived and been built. */
  async countChange(client: ClientBase, level: UpperLevel, key: WindowKey): Promise<void> {
    await client.query(
      `UPDATE ${level.windowTable} SET sequence = sequence + 1, built_sequence = built_sequence + 1 WHERE ${IS_KEY}`,
      keyParameters(key),
    );
    if (level.name === 'hour') await this.raise(client, LEVELS.day, keyAt(key, LEVELS.day.windowMs), 1);
  }

  /**
   * Partitions that ended before `beforeMs` and whose rows say nothing any more.
   *
   * Of minutes: all are built, and none of their blocks is left, because a window that begins anew counts its blocks from 1 again.
   * Of hours: all are in days that are sealed.
   *
   * @param oldestBlocksMs - Start of the oldest hour of arrival of which there are blocks.
   */
  async droppable(beforeMs: EpochMs, oldestBlocksMs: EpochMs): Promise<DroppablePartition[]> {
    const { minute, hour } = this.partitions;
    const isPending = 'sequence > built_sequence';
    const isOpen = `NOT is_sealed OR ${isPending}`;
    const minutes = await minute.droppable(Math.min(beforeMs, oldestBlocksMs - MAX_LATE_MS), (...range) =>
      hasNone(LEVELS.minute.windowTable, ...range, isPending),
    );
    const hours = await hour.droppable(beforeMs, (...range) =>
      [
        hasNone(LEVELS.hour.windowTable, ...range, isOpen),
        hasNone(LEVELS.hour.totalsTable, ...range),
        hasNone(LEVELS.day.windowTable, ...range, isOpen),
      ].join(' AND '),
    );
    return [...minutes, ...hours];
  }

  /** Built windows of these services that ended before `beforeMs`, whose own windows below may go: none of those is still to be sealed itself. Oldest first. */
  async listSealable(
    { windowTable, windowMs, below }: UpperLevel,
    { beforeMs, serviceIds }: { readonly beforeMs: EpochMs; readonly serviceIds: readonly number[] },
    limit: number,
  ): Promise<WindowKey[]> {
    return (await this.dataSource.query(
      `SELECT ${KEY_AS_FIELDS} FROM ${windowTable} w WHERE NOT is_sealed AND window_start_ms + ${windowMs} <= $1 AND service_id = ANY ($3) AND sequence = built_sequence
         AND ${below.name === 'minute' ? 'true' : `NOT EXISTS (${unsealedBelow(below, windowMs)})`}
       ORDER BY window_start_ms, service_id LIMIT $2`,
      [beforeMs, limit, serviceIds],
    )) as WindowKey[];
  }

  /** Whether every window below is sealed; minutes need not be. */
  async isSealedBelow(client: ClientBase, level: UpperLevel, key: WindowKey): Promise<boolean> {
    if (level.below.name === 'minute') return true;
    const unsealed = await client.query(
      `SELECT FROM ${level.below.windowTable} WHERE ${isWithin(level)} AND NOT is_sealed LIMIT 1`,
      keyParameters(key),
    );
    return unsealed.rowCount === 0;
  }

  /**
   * Removes the sealed days of these services that ended before `beforeMs`.
   *
   * @param keptRevisionIds Theirs stay.
   * @returns Their keys. What else is kept of them is to go in the same database transaction.
   */
  async removeSealedDays(
    client: ClientBase,
    { beforeMs, serviceIds }: { readonly beforeMs: EpochMs; readonly serviceIds: readonly number[] },
    keptRevisionIds: readonly number[],
    limit: number,
  ): Promise<WindowKey[]> {
    const { windowTable } = LEVELS.day;
    const removed = await client.query(
      `DELETE FROM ${windowTable} WHERE (${KEY_COLUMNS}) IN (
         SELECT ${KEY_COLUMNS} FROM ${windowTable} WHERE ${IS_PAST_DAY} AND service_id = ANY ($2) AND revision_id <> ALL ($3)
         ORDER BY ${KEY_COLUMNS} LIMIT $4 FOR UPDATE)
       RETURNING ${KEY_AS_FIELDS}`,
      [beforeMs, serviceIds, keptRevisionIds, limit],
    );
    return removed.rows as WindowKey[];
  }

  /** Sealed days of one revision that ended before `beforeMs`, the oldest first; those behind `after`. */
  async listPastDays(
    { serviceId, revisionId }: Pick<WindowKey, 'serviceId' | 'revisionId'>,
    beforeMs: EpochMs,
    limit: number,
    after?: WindowKey,
  ): Promise<WindowKey[]> {
    const order = 'window_start_ms, profile_type_id, environment_id';
    return (await this.dataSource.query(
      `SELECT ${KEY_AS_FIELDS} FROM ${LEVELS.day.windowTable} WHERE ${IS_PAST_DAY} AND service_id = $2 AND revision_id = $3
         AND (${order}) > ($5, $6, $7) ORDER BY ${order} LIMIT $4`,
      [
        beforeMs,
        serviceId,
        revisionId,
        limit,
        after?.windowStartMs ?? -1,
        after?.profileTypeId ?? -1,
        after?.environmentId ?? -1,
      ],
    )) as WindowKey[];
  }

  /** Days of one revision before `beforeMs` that a range may still cut: their hours are not merged for good. */
  async listOpenDays(
    { serviceId, revisionId }: Pick<WindowKey, 'serviceId' | 'revisionId'>,
    beforeMs: EpochMs,
  ): Promise<EpochMs[]> {
    const rows = (await this.dataSource.query(
      `SELECT DISTINCT window_start_ms AS "startMs" FROM ${LEVELS.day.windowTable}
       WHERE NOT is_sealed AND window_start_ms < $1 AND service_id = $2 AND revision_id = $3`,
      [beforeMs, serviceId, revisionId],
    )) as { startMs: EpochMs }[];
    return rows.map(({ startMs }) => startMs);
  }

  /** Removes one day, as `removeSealedDays`. */
  async removeDay(client: ClientBase, key: WindowKey): Promise<void> {
    await client.query(`DELETE FROM ${LEVELS.day.windowTable} WHERE ${IS_KEY}`, keyParameters(key));
  }

  async setSealed(client: ClientBase, { windowTable }: UpperLevel, key: WindowKey): Promise<void> {
    await client.query(`UPDATE ${windowTable} SET is_sealed = true WHERE ${IS_KEY}`, keyParameters(key));
  }
}

function unsealedBelow(below: Level, windowMs: DurationMs): string {
  return `SELECT FROM ${below.windowTable} b WHERE b.service_id = w.service_id AND b.profile_type_id = w.profile_type_id AND b.revision_id = w.revision_id
    AND b.environment_id = w.environment_id AND b.window_start_ms >= w.window_start_ms AND b.window_start_ms < w.window_start_ms + ${windowMs} AND NOT b.is_sealed`;
}
