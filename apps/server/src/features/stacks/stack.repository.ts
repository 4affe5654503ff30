import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import type { Epoch, EpochKey, StackHead, UsedEpoch } from './epoch.js';
import { StackError } from './stack-error.js';

/** Of one query: a dictionary of any size is read in bounded memory. */
const PAGES_AT_ONCE = 256;
const MAX_GENERATION = 2 ** 48 - 1;

/** Pages that follow what is known, as of one moment. */
export interface PagesBehind {
  /** `undefined`: there is no such epoch. */
  readonly head: StackHead | undefined;
  /** In order, without gaps: from the first one if what was known is no earlier state of this head. Not always all. */
  readonly pages: readonly Buffer[];
}

/** A locked head: nobody else can add a page until the database transaction ends. */
export interface LockedHead {
  readonly head: StackHead;
  pagesBehind(known: StackHead | undefined): Promise<PagesBehind>;
  addPage(version: number, data: Uint8Array): Promise<void>;
}

/** Owns stack_head and stack_page. */
@Injectable()
export class StackRepository {
  constructor(private readonly dataSource: DataSource) {}

  async head({ serviceId, epoch }: EpochKey): Promise<StackHead | undefined> {
    const rows = (await this.dataSource.query('SELECT generation, version FROM stack_head WHERE service_id = $1 AND epoch = $2', [
      serviceId,
      epoch,
    ])) as StackHead[];
    return rows[0];
  }

  /** Everything that is stored, in order. */
  async listEpochs(): Promise<EpochKey[]> {
    return (await this.dataSource.query(
      'SELECT service_id AS "serviceId", epoch FROM stack_head ORDER BY service_id, epoch',
    )) as EpochKey[];
  }

  /** What the copies of pinned revisions of these services take. */
  async bytesOfPinned(serviceIds: readonly number[]): Promise<number> {
    const rows = (await this.dataSource.query(
      'SELECT coalesce(sum(octet_length(data)), 0)::bigint AS bytes FROM stack_page WHERE service_id = ANY ($1) AND epoch < 0',
      [serviceIds],
    )) as { bytes: number }[];
    return rows[0]!.bytes;
  }

  async pagesBehind(key: EpochKey, known: StackHead | undefined): Promise<PagesBehind> {
    return pagesBehind(async (query, parameters) => (await this.dataSource.query(query, parameters)) as unknown[], key, known);
  }

  /**
   * Runs `work` in a short database transaction of its own that holds the lock of one head, which is made if it is not there. Never two
   * heads in one database transaction, so no order between them can be got wrong.
   */
  async withLockedHead<Result>(key: EpochKey, work: (head: LockedHead) => Promise<Result>): Promise<Result> {
    const { serviceId, epoch } = key;
    // READ COMMITTED, so that the statements after the lock see what its last holder wrote.
    return inDatabaseTransaction(this.dataSource, async ({ client }) => {
      // One statement, so that nobody can drop the head between the making and the locking.
      const locked = await client.query(
        `INSERT INTO stack_head AS h (service_id, epoch, generation, version) VALUES ($1, $2, $3, 0)
         ON CONFLICT (service_id, epoch) DO UPDATE SET version = h.version RETURNING generation, version`,
        [serviceId, epoch, randomInt(1, MAX_GENERATION)],
      );
      return work({
        head: (locked.rows as StackHead[])[0]!,
        pagesBehind: (known) =>
          pagesBehind(async (query, parameters) => (await client.query(query, parameters)).rows, key, known),
        async addPage(version, data) {
          // The primary key catches a mistake in the protocol.
          await client.query('INSERT INTO stack_page (service_id, epoch, version, data) VALUES ($1, $2, $3, $4)', [
            serviceId,
            epoch,
            version,
            data,
          ]);
          await client.query('UPDATE stack_head SET version = $3 WHERE service_id = $1 AND epoch = $2', [
            serviceId,
            epoch,
            version,
          ]);
        },
      });
    });
  }

  /**
   * Drops an epoch, unless something still needs it. Whoever stores ids of it at this moment is waited for and seen, or finds it gone.
   *
   * @param isNeeded Whether anything stored names stacks of the epoch. Asked before the head is locked, so that nobody waits for an epoch that
   *   stays, and again under the lock.
   * @returns Whether it was dropped.
   */
  async drop({ serviceId, epoch }: EpochKey, isNeeded: (client: ClientBase) => Promise<boolean>): Promise<boolean> {
    return inDatabaseTransaction(this.dataSource, async ({ client }) => {
      if (await isNeeded(client)) return false;
      // Before the second question: `holdEpochs` waits for this lock, or we for it. READ COMMITTED: the question sees what its holders committed.
      const locked = await client.query('SELECT FROM stack_head WHERE service_id = $1 AND epoch = $2 FOR UPDATE', [
        serviceId,
        epoch,
      ]);
      // Where there was no head, nothing is locked, and the pages that we would find are of somebody who has just made one.
      if (locked.rowCount === 0 || (await isNeeded(client))) return false;
      await client.query('DELETE FROM stack_page WHERE service_id = $1 AND epoch = $2', [serviceId, epoch]);
      await client.query('DELETE FROM stack_head WHERE service_id = $1 AND epoch = $2', [serviceId, epoch]);
      return true;
    });
  }
}

/**
 * Keeps the dictionaries that stack ids come from until the database transaction ends, which stores the ids. Holders do not wait for
 * one another, nor for writers of pages.
 *
 * @throws {StackError} `STACK_EPOCH_GONE`: one was dropped since the ids were taken, or the database was restored to before
 */
export async function holdEpochs(client: ClientBase, used: readonly UsedEpoch[]): Promise<void> {
  if (used.length === 0) return;
  const keys = new Map(used.map((one) => [keyText(one), one]));
  const held = await client.query(
    `SELECT service_id AS "serviceId", epoch, generation, version FROM stack_head
     WHERE (service_id, epoch) IN (SELECT * FROM unnest($1::bigint[], $2::int[])) ORDER BY service_id, epoch FOR KEY SHARE`,
    [Array.from(keys.values(), (one) => one.serviceId), Array.from(keys.values(), (one) => one.epoch)],
  );
  const heads = new Map((held.rows as UsedEpoch[]).map((head) => [keyText(head), head]));
  for (const one of used) assertIsState(heads.get(keyText(one)), one);
}

/**
 * The dictionaries of some months, as of the client's snapshot: they hold every stack that the snapshot's data names.
 *
 * @param others Epochs beside those months.
 */
export async function readStackHeads(
  client: ClientBase,
  serviceId: number,
  firstEpoch: Epoch,
  lastEpoch: Epoch,
  others: readonly Epoch[] = [],
): Promise<UsedEpoch[]> {
  const found = await client.query(
    `SELECT service_id AS "serviceId", epoch, generation, version FROM stack_head
     WHERE service_id = $1 AND (epoch BETWEEN $2 AND $3 OR epoch = ANY ($4)) ORDER BY epoch`,
    [serviceId, firstEpoch, lastEpoch, others],
  );
  return found.rows as UsedEpoch[];
}

/** @throws {StackError} `STACK_EPOCH_GONE`, unless `used` is `head` or an earlier state of it */
export function assertIsState(head: StackHead | undefined, used: UsedEpoch): void {
  if (isState(head, used)) return;
  throw new StackError(
    'STACK_EPOCH_GONE',
    `stacks of service ${used.serviceId}, epoch ${used.epoch}: state ${used.generation}.${used.version} is not of what there is now, ${head ? `${head.generation}.${head.version}` : 'nothing'}`,
  );
}

/** Whether `earlier` is `head` or was once. */
export function isState(head: StackHead | undefined, earlier: StackHead | undefined): boolean {
  return earlier === undefined || (head?.generation === earlier.generation && head.version >= earlier.version);
}

function keyText({ serviceId, epoch }: EpochKey): string {
  return `${serviceId}.${epoch}`;
}

async function pagesBehind(
  query: (query: string, parameters: unknown[]) => Promise<unknown[]>,
  { serviceId, epoch }: EpochKey,
  known: StackHead | undefined,
): Promise<PagesBehind> {
  // One statement sees one moment: pages of one generation, and their head.
  const rows = (await query(
    `SELECT h.generation, h.version, p.data FROM stack_head h
     LEFT JOIN stack_page p ON p.service_id = h.service_id AND p.epoch = h.epoch
       AND p.version > CASE WHEN h.generation = $3 AND h.version >= $4 THEN $4 ELSE 0 END
     WHERE h.service_id = $1 AND h.epoch = $2 ORDER BY p.version LIMIT ${PAGES_AT_ONCE}`,
    [serviceId, epoch, known?.generation ?? 0, known?.version ?? 0],
  )) as (StackHead & { data: Buffer | null })[];
  const { generation, version } = rows[0] ?? {};
  return {
    head: generation === undefined || version === undefined ? undefined : { generation, version },
    pages: rows.flatMap(({ data }) => (data === null ? [] : [data])),
  };
}
