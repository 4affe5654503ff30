import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs, TimeRange } from '@hearth/profile-model';
import type { ComparisonStatus, ResolvedSelection } from '@hearth/query-contract';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';

export interface ComparisonKey {
  readonly serviceId: number;
  readonly id: string;
}

export interface NewComparison extends ComparisonKey {
  readonly projectId: number;
  readonly baseline: ResolvedSelection;
  readonly candidate: ResolvedSelection;
}

export interface ComparisonRow extends NewComparison {
  readonly createdMs: EpochMs;
  readonly status: ComparisonStatus;
  /** Runs begun. */
  readonly attempts: number;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** The right to run one comparison until its lease ends; extended while the work goes on. */
export interface ComparisonLease extends NewComparison {
  readonly leaseId: string;
  readonly attempts: number;
}

interface StoredSize {
  readonly rows: number;
  readonly bytes: number;
}

// One clock for all workers: a lease written by one is judged by another.
const NOW_MS = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';
const COLUMNS = `service_id AS "serviceId", id, project_id AS "projectId", created_ms AS "createdMs", baseline, candidate, status, attempts,
  error_code AS "errorCode", error_message AS "errorMessage"`;

type StoredRow = Omit<ComparisonRow, 'error'> & { readonly errorCode: string | null; readonly errorMessage: string | null };

/** Owner of the table `comparison`. */
@Injectable()
export class ComparisonRepository {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /** Adds what is not there yet. One that failed is asked again from the start; any other stays as it is. */
  async addPending(comparison: NewComparison): Promise<ComparisonRow> {
    await this.#dataSource.query(
      `INSERT INTO comparison (service_id, id, project_id, created_ms, baseline, candidate, status)
       VALUES ($1, $2, $3, ${NOW_MS}, $4, $5, 'pending')
       ON CONFLICT (service_id, id) DO UPDATE
         SET status = 'pending', attempts = 0, error_code = NULL, error_message = NULL, finished_ms = NULL
         WHERE comparison.status = 'failed'`,
      [
        comparison.serviceId,
        comparison.id,
        comparison.projectId,
        JSON.stringify(comparison.baseline),
        JSON.stringify(comparison.candidate),
      ],
    );
    const row = await this.find(comparison);
    if (row === undefined) throw new Error(`comparison ${comparison.id} was deleted while it was added`);
    return row;
  }

  async find(key: ComparisonKey): Promise<ComparisonRow | undefined> {
    const rows = (await this.#dataSource.query(`SELECT ${COLUMNS} FROM comparison WHERE service_id = $1 AND id = $2`, [
      key.serviceId,
      key.id,
    ])) as StoredRow[];
    return rows[0] && rowFromStored(rows[0]);
  }

  /** The result as it was stored, deflated JSON; `undefined` until there is one. */
  async findResult(key: ComparisonKey): Promise<Buffer | undefined> {
    const rows = (await this.#dataSource.query(
      'SELECT result FROM comparison WHERE service_id = $1 AND id = $2 AND result IS NOT NULL',
      [key.serviceId, key.id],
    )) as { result: Buffer }[];
    return rows[0]?.result;
  }

  /** Takes the work if nobody has it: it is pending, or its worker's lease has run out. */
  async claim(key: ComparisonKey, leaseId: string, leaseMs: DurationMs): Promise<ComparisonLease | undefined> {
    const [rows] = (await this.#dataSource.query(
      `UPDATE comparison SET status = 'running', attempts = attempts + 1, lease_id = $3, leased_until_ms = ${NOW_MS} + $4
       WHERE service_id = $1 AND id = $2 AND (status = 'pending' OR (status = 'running' AND leased_until_ms <= ${NOW_MS}))
       RETURNING ${COLUMNS}`,
      [key.serviceId, key.id, leaseId, leaseMs],
    )) as [StoredRow[], number];
    return rows[0] && { ...rowFromStored(rows[0]), leaseId };
  }

  /** @returns false if the lease was lost to another worker. */
  async extendLease(lease: ComparisonLease, leaseMs: DurationMs): Promise<boolean> {
    return this.#updateLeased(lease, `leased_until_ms = ${NOW_MS} + $4`, [leaseMs]);
  }

  async finish(lease: ComparisonLease, result: Uint8Array): Promise<boolean> {
    return this.#updateLeased(
      lease,
      `status = 'done', result = $4, leased_until_ms = NULL, lease_id = NULL, finished_ms = ${NOW_MS}`,
      [Buffer.from(result.buffer, result.byteOffset, result.byteLength)],
    );
  }

  async fail(lease: ComparisonLease, error: { readonly code: string; readonly message: string }): Promise<boolean> {
    return this.#updateLeased(
      lease,
      `status = 'failed', error_code = $4, error_message = $5, leased_until_ms = NULL, lease_id = NULL, finished_ms = ${NOW_MS}`,
      [error.code, error.message],
    );
  }

  /** Gives the work back, so that it is run again without waiting for the lease to end. */
  async release(lease: ComparisonLease): Promise<boolean> {
    return this.#updateLeased(lease, `status = 'pending', leased_until_ms = NULL, lease_id = NULL`, []);
  }

  /** Comparisons that nobody works on: pending, or left by a worker that is gone. */
  async listUnattended(limit: number): Promise<(ComparisonKey & { readonly attempts: number })[]> {
    return (await this.#dataSource.query(
      `SELECT service_id AS "serviceId", id, attempts FROM comparison
       WHERE status = 'pending' OR (status = 'running' AND leased_until_ms <= ${NOW_MS})
       ORDER BY created_ms LIMIT $1`,
      [limit],
    )) as (ComparisonKey & { attempts: number })[];
  }

  /** What of these services was asked for before `beforeMs` and since: rows, and bytes of their results. */
  async sizeOf(serviceIds: readonly number[], beforeMs: EpochMs): Promise<{ before: StoredSize; since: StoredSize }> {
    const rows = (await this.#dataSource.query(
      `SELECT created_ms < $2 AS "isBefore", count(*) AS rows, coalesce(sum(pg_column_size(result)), 0)::bigint AS bytes
       FROM comparison WHERE service_id = ANY ($1) GROUP BY 1`,
      [serviceIds, beforeMs],
    )) as (StoredSize & { isBefore: boolean })[];
    const of = (isBefore: boolean) => {
      const { rows: count = 0, bytes = 0 } = rows.find((row) => row.isBefore === isBefore) ?? {};
      return { rows: count, bytes };
    };
    return { before: of(true), since: of(false) };
  }

  /** Removes what was asked for before `beforeMs`, whatever became of it. @returns How many. */
  async removeBefore(serviceIds: readonly number[], beforeMs: EpochMs): Promise<number> {
    const [, removed] = (await this.#dataSource.query('DELETE FROM comparison WHERE service_id = ANY ($1) AND created_ms < $2', [
      serviceIds,
      beforeMs,
    ])) as [unknown, number];
    return removed;
  }

  /**
   * Removes what was made, or is being made, of a range of time, or of any. A worker that still has one finds its row gone.
   *
   * @returns How many.
   */
  async removeAbout(client: ClientBase, serviceId: number, { fromMs, untilMs }: TimeRange): Promise<number> {
    const touches = (side: string) => `((${side} ->> 'fromMs')::bigint < $3 AND (${side} ->> 'untilMs')::bigint > $2)`;
    const removed = await client.query(
      `DELETE FROM comparison WHERE service_id = $1 AND (${touches('baseline')} OR ${touches('candidate')})`,
      [serviceId, fromMs, untilMs],
    );
    return removed.rowCount ?? 0;
  }

  async #updateLeased(lease: ComparisonLease, assignments: string, values: readonly unknown[]): Promise<boolean> {
    const [, changed] = (await this.#dataSource.query(
      `UPDATE comparison SET ${assignments} WHERE service_id = $1 AND id = $2 AND lease_id = $3 AND status = 'running'`,
      [lease.serviceId, lease.id, lease.leaseId, ...values],
    )) as [unknown[], number];
    return changed === 1;
  }
}

function rowFromStored({ errorCode, errorMessage, ...row }: StoredRow): ComparisonRow {
  return { ...row, error: errorCode === null ? null : { code: errorCode, message: errorMessage ?? '' } };
}
