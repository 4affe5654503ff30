import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { DurationMs } from '@hearth/profile-model';
import type { DataSource } from 'typeorm';
import { copyOut } from '../../platform/database/copy.js';
import { inDatabaseTransaction, ReadDatabase, type Freshness } from '../../platform/database/index.js';
import { HearthError } from '../../platform/http/hearth-error.js';
import { epochOf, readStackHeads, type UsedEpoch } from '../stacks/index.js';
import type { StoredProfiles, StoredQuery } from './stored-query.js';
import { WINDOW_MS, windowStart } from './window.js';

/** A reader that takes longer is answered with `QUERY_TIMEOUT`: it holds up the dropping of partitions. */
const STATEMENT_TIMEOUT_MS: DurationMs = 30_000;
/** What one answer may read from the database; it is held in memory once. */
const MAX_BYTES = 512 * 1024 * 1024;
const QUERY_CANCELED = '57014';

export interface SnapshotOptions {
  /** `totals`: merged over processes where a whole window counts, which is far less to read; `detail`: always per process and flush. */
  readonly want: 'totals' | 'detail';
  readonly signal?: AbortSignal | undefined;
  readonly freshness: Freshness;
}

export interface StoredSnapshot extends StoredProfiles {
  /** States of the dictionaries that hold every stack the profiles name. */
  readonly epochs: readonly UsedEpoch[];
}

/** Reads segments and the blocks behind them as they are at one moment. */
@Injectable()
export class SnapshotRepository {
  constructor(private readonly reads: ReadDatabase) {}

  /** @throws {HearthError} `QUERY_CANCELLED`, `QUERY_TIMEOUT`, `SELECTION_TOO_LARGE` */
  async read(query: StoredQuery, { want, signal, freshness }: SnapshotOptions): Promise<StoredSnapshot> {
    return this.reads.read(freshness, (dataSource) => this.#readFrom(dataSource, query, want, signal));
  }

  async #readFrom(
    dataSource: DataSource,
    query: StoredQuery,
    want: SnapshotOptions['want'],
    signal: AbortSignal | undefined,
  ): Promise<StoredSnapshot> {
    if (signal?.aborted) throw queryCancelled();
    try {
      return await inDatabaseTransaction(
        dataSource,
        async ({ client }) => {
          const question = `hearth ${randomUUID()}`;
          await client.query(`SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}; SET LOCAL application_name = '${question}'`);
          if (signal?.aborted) throw queryCancelled();
          const stopWatching = cancelOn(signal, dataSource, question);
          try {
            // Before the snapshot, which the first query takes: a partition dropped after it would be missing from an old snapshot,
            // and the segments that hold its blocks would not be in it yet.
            await client.query('LOCK TABLE block IN ACCESS SHARE MODE');
            const segments = await copyOut(client, segmentQuery(query, want), { maxBytes: MAX_BYTES });
            const blocks = await copyOut(client, tailBlockQuery(query), { maxBytes: MAX_BYTES - segments.length });
            const { serviceId, fromMs, untilMs } = query;
            const epochs = await readStackHeads(client, serviceId, epochOf(fromMs), epochOf(untilMs - 1));
            return { segments, blocks, epochs };
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

  /** A text that is another one whenever a block arrives in a window that `query` selects by time, type, revision and environment. */
  async version(query: StoredQuery): Promise<string> {
    const rows = (await this.reads.read('recent', (dataSource) =>
      dataSource.query(
        `SELECT count(*) || '.' || coalesce(sum(sequence), 0) AS version FROM profile_window w WHERE ${windowCondition(query, 'w')}`,
      ),
    )) as { version: string }[];
    return rows[0]!.version;
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

function segmentQuery(query: StoredQuery, want: 'totals' | 'detail'): string {
  const { fromMs, untilMs } = query;
  const isWhole =
    want === 'totals' && query.processIds === undefined
      ? `(s.window_start_ms >= ${whole(fromMs)} AND s.window_start_ms + ${WINDOW_MS} <= ${whole(untilMs)})`
      : 'false';
  return `SELECT s.window_start_ms, s.revision_id, CASE WHEN ${isWhole} THEN s.totals END, CASE WHEN NOT ${isWhole} THEN s.detail END
    FROM segment s WHERE ${windowCondition(query, 's')}`;
}

function tailBlockQuery(query: StoredQuery): string {
  return `SELECT b.window_start_ms, b.revision_id, b.process_id, b.start_ms, b.duration_ms, b.data
    FROM profile_window w JOIN block b
      ON b.service_id = w.service_id AND b.profile_type_id = w.profile_type_id AND b.window_start_ms = w.window_start_ms
      AND b.revision_id = w.revision_id AND b.environment_id = w.environment_id
    WHERE ${windowCondition(query, 'w')} AND w.sequence > w.built_sequence AND b.sequence > w.built_sequence
      AND b.start_ms >= ${whole(query.fromMs)} AND b.start_ms < ${whole(query.untilMs)}${isAnyOf('b.process_id', query.processIds)}`;
}

function windowCondition(query: StoredQuery, table: string): string {
  return `${table}.service_id = ${whole(query.serviceId)} AND ${table}.profile_type_id = ${whole(query.profileTypeId)}
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
