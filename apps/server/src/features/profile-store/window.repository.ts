import { Injectable } from '@nestjs/common';
import type { EpochMs, TimeRange } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { keyParameters, windowText, type WindowKey } from './window.js';

/** Windows that start within [fromMs, untilMs); each list: any of them, undefined is all. */
export interface WindowFilter extends Pick<WindowKey, 'serviceId' | 'profileTypeId'> {
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
  readonly environmentIds?: readonly number[] | undefined;
  readonly revisionIds?: readonly number[] | undefined;
}

/** `sequence`: of the newest block; `builtSequence`: of the newest block within the segment. Pending while they differ. */
export interface WindowState {
  readonly sequence: number;
  readonly builtSequence: number;
}

const KEY = 'service_id, profile_type_id, window_start_ms, revision_id, environment_id';
const KEY_AS_FIELDS =
  'service_id AS "serviceId", profile_type_id AS "profileTypeId", window_start_ms AS "windowStartMs", revision_id AS "revisionId", environment_id AS "environmentId"';
const IS_KEY = 'service_id = $1 AND profile_type_id = $2 AND window_start_ms = $3 AND revision_id = $4 AND environment_id = $5';

/** Owns profile_window: which windows have blocks that no segment holds yet. */
@Injectable()
export class WindowRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Takes `blocks` sequence numbers of each window. Locks the rows in key order until the database transaction ends, so
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
      `INSERT INTO profile_window AS w (${KEY}, sequence)
       SELECT a, b, c, d, e, f FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[]) AS new (a, b, c, d, e, f)
       ORDER BY a, b, c, d, e
       ON CONFLICT (${KEY}) DO UPDATE SET sequence = w.sequence + excluded.sequence
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

  /** Pending windows that start before `beforeMs`, oldest first. */
  async listPending(beforeMs: EpochMs, limit: number): Promise<WindowKey[]> {
    return (await this.dataSource.query(
      `SELECT ${KEY_AS_FIELDS} FROM profile_window WHERE sequence > built_sequence AND window_start_ms < $1 ORDER BY window_start_ms, service_id LIMIT $2`,
      [beforeMs, limit],
    )) as WindowKey[];
  }

  /** Pending windows of one minute of one service. */
  async listPendingOf(serviceId: number, windowStartMs: EpochMs): Promise<WindowKey[]> {
    return (await this.dataSource.query(
      `SELECT ${KEY_AS_FIELDS} FROM profile_window WHERE sequence > built_sequence AND service_id = $1 AND window_start_ms = $2 ORDER BY ${KEY}`,
      [serviceId, windowStartMs],
    )) as WindowKey[];
  }

  /** How many windows wait to be built, and since when the oldest does. */
  async pendingBacklog(): Promise<{ count: number; oldestWindowStartMs: EpochMs | null }> {
    const rows = (await this.dataSource.query(
      'SELECT count(*) AS count, min(window_start_ms) AS "oldestWindowStartMs" FROM profile_window WHERE sequence > built_sequence',
    )) as { count: number; oldestWindowStartMs: EpochMs | null }[];
    return rows[0]!;
  }

  /** Whether a service has profiles of some time: blocks and segments have a window. */
  async hasAny(client: ClientBase, serviceId: number, { fromMs, untilMs }: TimeRange): Promise<boolean> {
    const found = await client.query(
      `SELECT EXISTS (SELECT FROM profile_window WHERE service_id = $1 AND window_start_ms >= $2 AND window_start_ms < $3) AS found`,
      [serviceId, fromMs, untilMs],
    );
    return (found.rows as { found: boolean }[])[0]!.found;
  }

  /** A text that changes when a block arrives in one of the windows: how many there are, and the sum of their sequences. */
  async versionOf(filter: WindowFilter): Promise<string> {
    const rows = (await this.dataSource.query(
      `SELECT count(*) AS windows, coalesce(sum(sequence), 0)::bigint AS sequences FROM profile_window
       WHERE service_id = $1 AND profile_type_id = $2 AND window_start_ms >= $3 AND window_start_ms < $4
         AND ($5::bigint[] IS NULL OR environment_id = ANY ($5)) AND ($6::bigint[] IS NULL OR revision_id = ANY ($6))`,
      [
        filter.serviceId,
        filter.profileTypeId,
        filter.fromMs,
        filter.untilMs,
        filter.environmentIds ?? null,
        filter.revisionIds ?? null,
      ],
    )) as { windows: number; sequences: number }[];
    return `${rows[0]!.windows}.${rows[0]!.sequences}`;
  }

  /** Locks one window until the database transaction ends: its blocks wait, and another builder too. */
  async lock(client: ClientBase, key: WindowKey): Promise<WindowState | undefined> {
    const locked = await client.query(
      `SELECT sequence, built_sequence AS "builtSequence" FROM profile_window WHERE ${IS_KEY} FOR UPDATE`,
      keyParameters(key),
    );
    return (locked.rows as WindowState[])[0];
  }

  async setBuilt(client: ClientBase, key: WindowKey, builtSequence: number): Promise<void> {
    await client.query(`UPDATE profile_window SET built_sequence = $6 WHERE ${IS_KEY}`, [...keyParameters(key), builtSequence]);
  }
}
