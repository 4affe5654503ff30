import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs, TimeRange } from '@hearth/profile-model';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { copyOut } from '../../platform/database/copy.js';
import { inDatabaseTransaction, ReadDatabase, type Freshness } from '../../platform/database/index.js';
import { HearthError } from '../../platform/http/hearth-error.js';
import { epochOf, epochOfPinned, readStackHeads, type UsedEpoch } from '../stacks/index.js';
import { planCover, resolutionOf, type CoverPlan, type UpperWindow, type UpperWindowState } from './cover-plan.js';
import { LEVELS, PINNED_TABLE, type Level, type LevelName } from './level.js';
import type { StoredProfiles, StoredQuery, WindowSelection } from './stored-query.js';
import { versionQuery } from './version-query.js';
import { DAY_MS, HOUR_MS, KEY_COLUMNS, WINDOW_MS, windowStart } from './window.js';

/** A reader that takes longer is answered with `QUERY_TIMEOUT`: it holds up the dropping of partitions. */
const STATEMENT_TIMEOUT_MS: DurationMs = 30_000;
/** What one answer may read from the database; it is held in memory once. */
const MAX_BYTES = 512 * 1024 * 1024;
const QUERY_CANCELED = '57014';
/** Hours that are passed over to reach the next: cheaper than another query. */
const MAX_GAP_MS: DurationMs = 6 * HOUR_MS;
const PARTITIONED_TABLES = [
  'block',
  PINNED_TABLE,
  ...new Set(
    Object.values(LEVELS).flatMap(({ windowTable, totalsTable, detailTable }) => [windowTable, totalsTable, detailTable]),
  ),
];

export interface SnapshotOptions {
  /** `totals`: merged over processes where a whole window counts, which is far less to read; `detail`: always per process. */
  readonly want: 'totals' | 'detail';
  /** The longest windows that may stand for their profiles; what has expired to longer ones is answered by those all the same. */
  readonly coarsest: LevelName;
  readonly signal?: AbortSignal | undefined;
  readonly freshness: Freshness;
}

export interface Snapshot {
  readonly stored: StoredProfiles;
  /** States of the dictionaries that hold every stack the profiles name. */
  readonly epochs: readonly UsedEpoch[];
  /** What the profiles really cover: wider than asked where what would cut them has expired. */
  readonly range: TimeRange;
  /** The longest window among them. */
  readonly longestMs: DurationMs;
  /** As `WindowRepository.versionOf` tells it, at the same moment. */
  readonly version: string;
}

/** Owns no table: reads segments of all levels and the blocks behind them as they are at one moment. */
@Injectable()
export class SnapshotRepository {
  constructor(private readonly reads: ReadDatabase) {}

  /** @throws {HearthError} `QUERY_CANCELLED`, `QUERY_TIMEOUT`, `SELECTION_TOO_LARGE`, `PROCESS_DETAIL_EXPIRED` */
  async read(query: StoredQuery, { want, coarsest, signal, freshness }: SnapshotOptions): Promise<Snapshot> {
    return this.#inSnapshot(freshness, signal, async (client) => {
      const plan = planCover(await upperStates(client, query), query, coarsest);
      const answered = { ...query, ...plan.range };
      const ofProcesses = want === 'detail' || query.processIds !== undefined;
      if (ofProcesses) await assertDetailOfDays(client, answered, plan.days);
      const segments = await copyOut(client, segmentQuery(answered, plan, ofProcesses), { maxBytes: MAX_BYTES });
      const blocks = await copyOut(client, tailBlockQuery(answered), { maxBytes: MAX_BYTES - segments.length });
      const { fromMs, untilMs } = plan.range;
      const copies = [...new Set(plan.pinned.map(({ revisionId }) => epochOfPinned(revisionId)))];
      const epochs = await readStackHeads(client, query.serviceId, epochOf(fromMs), epochOf(untilMs - 1), copies);
      const { text, values } = versionQuery(query);
      const [{ version }] = (await client.query(text, values)).rows as [{ version: string }];
      return { stored: { segments, blocks }, epochs, range: plan.range, longestMs: plan.longestMs, version };
    });
  }

  /** What a read of any of these types would cover at most, and the longest window that one of them could not do without. */
  async resolution(selection: WindowSelection, freshness: Freshness): Promise<Pick<Snapshot, 'range' | 'longestMs'>> {
    const text = sealedQuery(selection);
    const ends = (await this.reads.read(freshness, (dataSource) => dataSource.query(text))) as SealedEnds[];
    const sealed = ends.flatMap(({ level, firstMs, lastMs }) =>
      [firstMs, lastMs].map((windowStartMs) => ({ level, windowStartMs })),
    );
    return resolutionOf(sealed, selection);
  }

  async #inSnapshot<Result>(
    freshness: Freshness,
    signal: AbortSignal | undefined,
    work: (client: PoolClient) => Promise<Result>,
  ): Promise<Result> {
    return this.reads.read(freshness, (dataSource) => inSnapshotOf(dataSource, signal, work));
  }
}

async function inSnapshotOf<Result>(
  dataSource: DataSource,
  signal: AbortSignal | undefined,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  if (signal?.aborted) throw queryCancelled();
  try {
    return await inDatabaseTransaction(
      dataSource,
      async ({ client }) => {
        const question = `hearth ${randomUUID()}`;
        // A question reads little: starting parallel workers would take longer than the reading.
        await client.query(
          `SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}; SET LOCAL application_name = '${question}'; SET LOCAL max_parallel_workers_per_gather = 0`,
        );
        if (signal?.aborted) throw queryCancelled();
        const stopWatching = cancelOn(signal, dataSource, question);
        try {
          // Before the snapshot, which the first query takes: a partition dropped after it would be missing from an old snapshot,
          // and the segments that hold what was in it would not be in it yet. Whoever drops locks the parents too.
          await client.query(`LOCK TABLE ONLY ${PARTITIONED_TABLES.join(', ')} IN ACCESS SHARE MODE`);
          return await work(client);
        } finally {
          await stopWatching();
        }
      },
      'REPEATABLE READ',
    );
  } catch (error) {
    if (signal?.aborted) throw queryCancelled(error);
    if ((error as { code?: string }).code !== QUERY_CANCELED) throw error;
    throw new HearthError(
      'QUERY_TIMEOUT',
      `the database needed more than ${STATEMENT_TIMEOUT_MS} ms: ask for a shorter range or fewer processes`,
      { status: 504, cause: error },
    );
  }
}

/**
 * @param question Name of the connection until the end of the database transaction. Not its number: a pooler makes one up,
 *   and to ask for the real one would take the snapshot.
 * @returns Call it before that end: a cancel under way must not meet the next user's query.
 */
function cancelOn(signal: AbortSignal | undefined, dataSource: DataSource, question: string): () => Promise<void> {
  if (signal === undefined) return async () => undefined;
  let sent: Promise<unknown> = Promise.resolve();
  const cancel = () => {
    const query = 'SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = $1';
    sent = dataSource.query(query, [question]).catch(() => undefined);
  };
  signal.addEventListener('abort', cancel, { once: true });
  return async () => {
    signal.removeEventListener('abort', cancel);
    await sent;
  };
}

/** What a reader is told who has left. */
export function queryCancelled(cause?: unknown): HearthError {
  return new HearthError('QUERY_CANCELLED', 'the question was taken back before it was answered', { status: 499, cause });
}

interface SealedEnds {
  readonly level: UpperWindowState['level'];
  readonly firstMs: EpochMs;
  readonly lastMs: EpochMs;
}

/** The first and the last sealed window of each level that touch the selection: a month of a service has thousands. */
function sealedQuery(selection: WindowSelection): string {
  const endsOf = (level: UpperWindowState['level'], windowMs: DurationMs, table: string, isSealed: string) =>
    `SELECT '${level}' AS level, min(window_start_ms) AS "firstMs", max(window_start_ms) AS "lastMs"
     FROM ${table} w WHERE ${windowCondition({ ...selection, fromMs: windowStart(selection.fromMs, windowMs) }, 'w')} AND ${isSealed}
     HAVING count(*) > 0`;
  const { hour, day } = LEVELS;
  return [
    endsOf('pinned', day.windowMs, PINNED_TABLE, 'true'),
    endsOf('day', day.windowMs, day.windowTable, 'is_sealed'),
    endsOf('hour', hour.windowMs, hour.windowTable, 'is_sealed'),
  ].join(' UNION ALL ');
}

async function upperStates(client: PoolClient, query: StoredQuery): Promise<UpperWindowState[]> {
  const days = { ...query, fromMs: windowStart(query.fromMs, DAY_MS), untilMs: windowStart(query.untilMs - 1, DAY_MS) + DAY_MS };
  const statesOf = ({ name, windowTable }: Level) =>
    `SELECT '${name}' AS level, window_start_ms AS "windowStartMs", revision_id AS "revisionId", environment_id AS "environmentId",
       sequence = built_sequence AS "isCurrent", is_sealed AS "isSealed"
     FROM ${windowTable} w WHERE ${windowCondition(days, 'w')}`;
  const pinned = `SELECT 'pinned', window_start_ms, revision_id, environment_id, true, true FROM ${PINNED_TABLE} w WHERE ${windowCondition(days, 'w')}`;
  const found = await client.query(`${statesOf(LEVELS.day)} UNION ALL ${statesOf(LEVELS.hour)} UNION ALL ${pinned}`);
  return found.rows as UpperWindowState[];
}

/** @throws {HearthError} `PROCESS_DETAIL_EXPIRED` */
async function assertDetailOfDays(client: PoolClient, query: StoredQuery, days: readonly UpperWindow[]): Promise<void> {
  if (days.length === 0) return;
  const expired = await client.query(
    `SELECT w.window_start_ms AS "startMs" FROM ${valuesOf(days)} ${joinOf(LEVELS.day.totalsTable, 's', query)}
       LEFT JOIN ${LEVELS.day.detailTable} d ON (${columnsOf('d')}) = (${columnsOf('s')}) WHERE d.service_id IS NULL ORDER BY 1 DESC LIMIT 1`,
  );
  const [last] = expired.rows as { startMs: EpochMs }[];
  if (last === undefined) return;
  throw new HearthError(
    'PROCESS_DETAIL_EXPIRED',
    `what single processes did is no longer known before ${new Date(last.startMs + DAY_MS).toISOString()}: ask for a later range, or for all processes together`,
    { status: 410 },
  );
}

/** In the order of `segmentRows`. */
function segmentQuery(query: StoredQuery, plan: CoverPlan, ofProcesses: boolean): string {
  const upper = (level: Level, windows: readonly UpperWindow[]) =>
    windows.length === 0
      ? []
      : [
          `SELECT ${level.windowMs}::bigint, s.window_start_ms, s.revision_id, 0::bigint, ${ofProcesses ? 'NULL::bytea, s.detail' : 's.totals, NULL::bytea'}
           FROM ${valuesOf(windows)} ${joinOf(ofProcesses ? level.detailTable : level.totalsTable, 's', query)}`,
        ];
  const { fromMs, untilMs } = query;
  const isWhole = ofProcesses
    ? 'false'
    : `(s.window_start_ms >= ${whole(fromMs)} AND s.window_start_ms + ${WINDOW_MS} <= ${whole(untilMs)})`;
  const parts = [...pinnedQuery(query, plan), ...upper(LEVELS.day, plan.days), ...upper(LEVELS.hour, plan.hours)];
  for (const { startMs, endMs } of runsOfHours(plan.hoursOfMinutes)) {
    const run = { ...query, fromMs: Math.max(fromMs, startMs), untilMs: Math.min(untilMs, endMs) };
    parts.push(`SELECT ${WINDOW_MS}::bigint, s.window_start_ms, s.revision_id, 0::bigint, CASE WHEN ${isWhole} THEN s.totals END, CASE WHEN NOT ${isWhole} THEN s.detail END
      FROM ${valuesOf(plan.hoursOfMinutes)} JOIN ${LEVELS.minute.totalsTable} s ON s.window_start_ms - s.window_start_ms % ${HOUR_MS} = w.window_start_ms
        AND s.revision_id = w.revision_id AND s.environment_id = w.environment_id AND ${windowCondition(run, 's')}`);
  }
  return parts.join(' UNION ALL ') || 'SELECT 0::bigint, 0::bigint, 0::bigint, 0::bigint, NULL::bytea, NULL::bytea WHERE false';
}

/** Of pinned days there is only detail: it answers for all processes too. */
function pinnedQuery(query: StoredQuery, { pinned }: CoverPlan): string[] {
  if (pinned.length === 0) return [];
  return [
    `SELECT ${DAY_MS}::bigint, s.window_start_ms, s.revision_id, 1::bigint, NULL::bytea, s.detail FROM ${valuesOf(pinned)} ${joinOf(PINNED_TABLE, 's', query)}`,
  ];
}

/** Stretches of time that hold all of these hours, so that an index leads to their minutes: between the two ends of a range may lie a month. */
function runsOfHours(hours: readonly UpperWindow[]): { startMs: EpochMs; endMs: EpochMs }[] {
  const runs: { startMs: EpochMs; endMs: EpochMs }[] = [];
  for (const startMs of [...new Set(hours.map(({ windowStartMs }) => windowStartMs))].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && startMs - last.endMs <= MAX_GAP_MS) last.endMs = startMs + HOUR_MS;
    else runs.push({ startMs, endMs: startMs + HOUR_MS });
  }
  return runs;
}

function valuesOf(windows: readonly UpperWindow[]): string {
  const rows = windows.map(
    ({ windowStartMs, revisionId, environmentId }) =>
      `(${whole(windowStartMs)}::bigint,${whole(revisionId)}::bigint,${whole(environmentId)}::bigint)`,
  );
  return `(VALUES ${rows.join(',')}) AS w (window_start_ms, revision_id, environment_id)`;
}

function columnsOf(table: string): string {
  return KEY_COLUMNS.replaceAll(/\w+/g, (column) => `${table}.${column}`);
}

/** Of the windows `w`. */
function joinOf(table: string, name: string, query: StoredQuery): string {
  return `JOIN ${table} ${name} ON ${name}.window_start_ms = w.window_start_ms AND ${name}.revision_id = w.revision_id
    AND ${name}.environment_id = w.environment_id AND ${windowCondition(query, name)}`;
}

function tailBlockQuery(query: StoredQuery): string {
  return `SELECT b.window_start_ms, b.revision_id, b.process_id, b.start_ms, b.duration_ms, b.data
    FROM profile_window w JOIN block b
      ON b.service_id = w.service_id AND b.profile_type_id = w.profile_type_id AND b.window_start_ms = w.window_start_ms
      AND b.revision_id = w.revision_id AND b.environment_id = w.environment_id
    WHERE ${windowCondition(query, 'w')} AND w.sequence > w.built_sequence AND b.sequence > w.built_sequence
      AND b.start_ms >= ${whole(query.fromMs)} AND b.start_ms < ${whole(query.untilMs)}${isAnyOf('b.process_id', query.processIds)}`;
}

function windowCondition(query: StoredQuery | WindowSelection, table: string): string {
  const isType =
    'profileTypeIds' in query
      ? isAnyOf(`${table}.profile_type_id`, query.profileTypeIds)
      : ` AND ${table}.profile_type_id = ${whole(query.profileTypeId)}`;
  return `${table}.service_id = ${whole(query.serviceId)}${isType}
    AND ${table}.window_start_ms >= ${windowStart(whole(query.fromMs))} AND ${table}.window_start_ms < ${whole(query.untilMs)}
    ${isAnyOf(`${table}.environment_id`, query.environmentIds)}${isAnyOf(`${table}.revision_id`, query.revisionIds)}`;
}

function isAnyOf(column: string, ids: readonly number[] | undefined): string {
  return ids === undefined ? '' : ` AND ${column} = ANY ('{${ids.map(whole).join(',')}}'::bigint[])`;
}

/** COPY takes no parameters: only whole numbers get into the text. */
function whole(value: number): number {
  if (!Number.isSafeInteger(value)) throw new Error(`${String(value)} is not a whole number`);
  return value;
}
