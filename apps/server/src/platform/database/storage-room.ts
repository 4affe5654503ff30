import { statfs } from 'node:fs/promises';
import type { DurationMs } from '@hearth/profile-model';
import { Gauge } from 'prom-client';
import type { DataSource } from 'typeorm';
import { HearthError } from '../http/hearth-error.js';
import type { Metrics } from '../observability/metrics.js';

/** Between two looks. At 100 MB/s little more than a tenth of the default reserve is written meanwhile. */
const LOOK_EVERY_MS: DurationMs = 1_000;
/** After Postgres has said that its disk is full: nobody tries before. */
const REFUSED_MS: DurationMs = 5_000;
/** Once full, this many times the reserve must be free again: otherwise each minute that is dropped lets in one batch. */
const RESUME_FACTOR = 1.25;
const RETRY_AFTER_SECONDS = 30;
/** What Postgres says when a file cannot grow (class 53, insufficient resources). */
const DISK_FULL = '53100';

export interface StorageLimits {
  /** Folder on the disk of Postgres; `undefined`: it is not on this machine. */
  readonly dataDir: string | undefined;
  /** Kept free for what must go on when nothing more is taken in: merging, which frees more than it needs, and Postgres' own log. */
  readonly minFreeBytes: number;
  /** What the database may grow to; `undefined`: as large as its disk. */
  readonly maxDatabaseBytes: number | undefined;
}

/** Whether a statement failed because the disk of Postgres is full. */
export function isStorageFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if ((at as { code?: unknown }).code === DISK_FULL) return true;
  return false;
}

export function storageFull(detail: string, cause?: unknown): HearthError {
  return new HearthError('STORAGE_FULL', `${detail}: nothing is taken in until there is room; reading goes on`, {
    status: 503,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    cause,
  });
}

/** Whether there is room to store more. Asked before a batch is read; recovers by itself. */
export class StorageRoom {
  readonly #dataSource: DataSource;
  readonly #limits: StorageLimits;
  readonly #freeBytes: Gauge;
  readonly #isFull: Gauge;
  #full: string | undefined;
  #looking: Promise<void> | undefined;
  #lookedMs = -Infinity;
  #refusedUntilMs = -Infinity;

  constructor(dataSource: DataSource, limits: StorageLimits, { registry }: Metrics) {
    this.#dataSource = dataSource;
    this.#limits = limits;
    this.#freeBytes = new Gauge({
      name: 'storage_free_bytes',
      help: 'Room for the database: on its disk, or up to MAX_DATABASE_BYTES; absent where neither is known',
      registers: limits.dataDir === undefined && limits.maxDatabaseBytes === undefined ? [] : [registry],
    });
    this.#isFull = new Gauge({
      name: 'storage_full',
      help: '1 while nothing is taken in because there is no room',
      registers: [registry],
    });
  }

  /** @throws {HearthError} `STORAGE_FULL` 503 */
  async assertRoom(nowMs = performance.now()): Promise<void> {
    if (nowMs >= this.#lookedMs + LOOK_EVERY_MS) {
      this.#lookedMs = nowMs;
      // A database that is away says so when something is stored.
      this.#looking = this.#look().catch(() => undefined);
    }
    await this.#looking;
    const detail = nowMs < this.#refusedUntilMs ? 'the disk of Postgres is full' : this.#full;
    this.#isFull.set(detail === undefined ? 0 : 1);
    if (detail !== undefined) throw storageFull(detail);
  }

  /** After a statement has failed for want of room: the next few seconds nobody tries. */
  noticeFull(nowMs = performance.now()): void {
    this.#refusedUntilMs = nowMs + REFUSED_MS;
  }

  async #look(): Promise<void> {
    const { dataDir, minFreeBytes, maxDatabaseBytes } = this.#limits;
    const needed = this.#full === undefined ? minFreeBytes : minFreeBytes * RESUME_FACTOR;
    const rooms: { readonly free: number; readonly where: string }[] = [];
    if (dataDir !== undefined) {
      const { bavail, bsize } = await statfs(dataDir);
      rooms.push({ free: bavail * bsize, where: 'on the disk of Postgres' });
    }
    if (maxDatabaseBytes !== undefined) {
      const rows = (await this.#dataSource.query('SELECT pg_database_size(current_database()) AS size')) as { size: number }[];
      rooms.push({ free: maxDatabaseBytes - rows[0]!.size, where: 'up to MAX_DATABASE_BYTES' });
    }
    const least = rooms.sort((a, b) => a.free - b.free)[0];
    if (least !== undefined) this.#freeBytes.set(least.free);
    this.#full =
      least !== undefined && least.free < needed
        ? `${least.free} bytes are free ${least.where}, and ${needed} must be`
        : undefined;
  }
}
