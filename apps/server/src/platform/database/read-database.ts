import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { DurationMs } from '@hearth/profile-model';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { isDatabaseAway } from '../http/problem-filter.js';
import { dataSourceOptions, type DatabasePlace } from './data-source.js';
import { ReplicaLag } from './replica-lag.js';

const MEASURE_EVERY_MS: DurationMs = 1_000;
/** A replica that answers the watch later than this counts as away. */
const WATCH_TIMEOUT_MS: DurationMs = 3_000;
/** What a standby says when replaying the log and a query cannot both go on: serialization_failure, deadlock_detected. */
const RECOVERY_CONFLICT = new Set(['40001', '40P01']);

/**
 * What a question may be answered from. `latest`: everything committed before it; `recent`: what was committed up to
 * DATABASE_READ_MAX_LAG_MS before it, which is what a replica may hold.
 */
export type Freshness = 'latest' | 'recent';

export interface ReplicaPlace extends DatabasePlace {
  /** A replica that is further behind is not asked. */
  readonly maxLagMs: DurationMs;
}

export interface ReadDatabaseOptions {
  readonly replica?: ReplicaPlace | undefined;
  /** Told once when the replica begins to be asked, and once when it no longer is. */
  readonly onChange?: (message: string, detail: object) => void;
  /** Told of every question which database answers it. */
  readonly onRead?: (database: 'primary' | 'replica') => void;
}

/**
 * The database that questions are read from: a streaming replica while it is fresh enough, otherwise the primary. A
 * replica that fails in the middle of a question is replaced by the primary before anybody notices.
 */
@Injectable()
export class ReadDatabase implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #primary: DataSource;
  readonly #replica: (ReplicaPlace & { readonly dataSource: DataSource }) | undefined;
  readonly #options: ReadDatabaseOptions;
  readonly #lag = new ReplicaLag();
  readonly #stopping = new AbortController();
  #watching: Promise<void> | undefined;
  /** As was told last. */
  #wasAsked: boolean | undefined;

  constructor(primary: DataSource, options: ReadDatabaseOptions = {}) {
    this.#primary = primary;
    this.#options = options;
    const { replica } = options;
    this.#replica = replica && { ...replica, dataSource: new DataSource(dataSourceOptions(replica)) };
  }

  /**
   * Runs `work` over a database that is fresh enough; a second time, over the primary, if the replica failed it. What
   * must belong together (an answer, and the version it is kept under) is read in one `work`.
   */
  async read<Result>(freshness: Freshness, work: (dataSource: DataSource) => Promise<Result>): Promise<Result> {
    if (freshness === 'recent' && this.#replica !== undefined && this.#isFresh()) {
      try {
        const result = await work(this.#replica.dataSource);
        this.#options.onRead?.('replica');
        return result;
      } catch (error) {
        const isAway = isDatabaseAway(error);
        if (!isAway && !RECOVERY_CONFLICT.has(String((error as { code?: unknown }).code))) throw error;
        if (isAway) this.#lag.forget(); // until it has been heard of again
      }
    }
    this.#options.onRead?.('primary');
    return work(this.#primary);
  }

  /** The replica holds everything that was committed so many milliseconds ago. `Infinity`: not known; `undefined`: there is none. */
  get lagMs(): DurationMs | undefined {
    return this.#replica && this.#lag.lagMs(performance.now());
  }

  /** Begins to watch the replica, which is not asked before. */
  onApplicationBootstrap(): void {
    if (this.#replica !== undefined) this.#watching ??= this.#watch(this.#replica);
  }

  /** After the questions under way have ended. */
  async onApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
    if (this.#replica?.dataSource.isInitialized) await this.#replica.dataSource.destroy();
  }

  #isFresh(): boolean {
    return this.#replica !== undefined && this.#lag.lagMs(performance.now()) <= this.#replica.maxLagMs;
  }

  async #watch({ url, dataSource }: { readonly url: string; readonly dataSource: DataSource }): Promise<void> {
    const { signal } = this.#stopping;
    let watcher: pg.Client | undefined;
    while (!signal.aborted) {
      let fault: string | undefined;
      try {
        watcher ??= await connectWatcher(url);
        await this.#measure(watcher);
        if (!dataSource.isInitialized) await dataSource.initialize();
      } catch (error) {
        fault = (error as Error).message;
        this.#lag.forget();
        watcher?.end().catch(() => undefined);
        watcher = undefined;
      }
      this.#tellChange(fault);
      await sleep(MEASURE_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
    await watcher?.end();
  }

  /** @throws why the replica cannot be asked */
  async #measure(watcher: pg.Client): Promise<void> {
    const beforeMs = performance.now();
    const before = await positionOfPrimary(this.#primary);
    const replayed = await positionOfReplica(watcher);
    const afterMs = performance.now(); // before the question: what is committed while it is answered counts as not yet there
    const after = await positionOfPrimary(this.#primary);
    if (before.cluster !== replayed.cluster || replayed.position === null)
      throw new Error('DATABASE_READ_URL is no streaming replica of the database of DATABASE_URL');
    this.#lag.noteWritten(before.position, beforeMs);
    this.#lag.noteReplayed(replayed.position);
    this.#lag.noteWritten(after.position, afterMs); // finds out a replica that is ahead
  }

  #tellChange(fault: string | undefined): void {
    const isAsked = this.#isFresh();
    if (isAsked === this.#wasAsked) return;
    // The first look at a replica rarely meets it without anything left to replay.
    if (this.#wasAsked === undefined && !isAsked && fault === undefined) return;
    this.#wasAsked = isAsked;
    if (isAsked) this.#options.onChange?.('questions go to the replica', { lagMs: this.lagMs });
    else
      this.#options.onChange?.('questions go to the primary: the replica cannot be asked', {
        reason: fault ?? 'it is further behind than DATABASE_READ_MAX_LAG_MS',
      });
  }
}

interface LogPosition<Position> {
  /** Bytes since the cluster was made. */
  readonly position: Position;
  /** The cluster's own number, the same on all its replicas. */
  readonly cluster: string;
}

/**
 * What is written, not what is reserved: at the border of a page no end of a record is there that a replica could reach.
 * With synchronous_commit = off a commit is visible up to three wal_writer_delay before that.
 */
async function positionOfPrimary(primary: DataSource): Promise<LogPosition<number>> {
  const rows = (await primary.query(
    `SELECT (pg_current_wal_lsn() - '0/0')::float8 AS position, system_identifier::text AS cluster FROM pg_control_system()`,
  )) as LogPosition<number>[];
  return rows[0]!;
}

/** `null`: it takes no log from anybody, so it is no replica (any more). */
async function positionOfReplica(watcher: pg.Client): Promise<LogPosition<number | null>> {
  const found = await watcher.query<LogPosition<number | null>>(
    `SELECT CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0')::float8 END AS position, system_identifier::text AS cluster
     FROM pg_control_system()`,
  );
  return found.rows[0]!;
}

/** A connection of its own: it must not wait behind questions, and a replica that never answers must not hold it for ever. */
async function connectWatcher(url: string): Promise<pg.Client> {
  const watcher = new pg.Client({
    connectionString: url,
    application_name: 'hearth',
    connectionTimeoutMillis: WATCH_TIMEOUT_MS,
    query_timeout: WATCH_TIMEOUT_MS,
  });
  watcher.on('error', () => undefined); // the next measurement reports it
  try {
    await watcher.connect();
  } catch (error) {
    watcher.end().catch(() => undefined);
    throw error;
  }
  return watcher;
}
