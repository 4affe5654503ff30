import type { DataSource } from 'typeorm';
import { leftoversOf } from './rewrite-partition.js';

const UNDEFINED_TABLE = '42P01';
/** So that nobody waits long for a row. */
const REMOVED_AT_ONCE = 10_000;

export interface ServiceTable {
  readonly table: string;
  /** One partition of a larger table: rewriting it gives the disk of deleted rows back. */
  readonly isPartition: boolean;
}

/**
 * Every table and partition that holds rows of services, known by its column `service_id`. From the catalog of Postgres, so that no
 * table that somebody adds is forgotten. Windows come before the blocks that they count: a builder would miss those.
 */
export async function listServiceTables(dataSource: DataSource): Promise<ServiceTable[]> {
  const tables = (await dataSource.query(
    `SELECT relname AS "table", relispartition AS "isPartition" FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
     WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND attname = 'service_id' ORDER BY relname DESC`,
  )) as ServiceTable[];
  const leftovers = new Set(tables.flatMap(({ table, isPartition }) => (isPartition ? leftoversOf(table) : [])));
  return tables.filter(({ table }) => !leftovers.has(table));
}

/**
 * How many rows a table has of these services; 0 also for one that is gone.
 *
 * @param isKept A condition over a row: those are not counted.
 */
export async function countServiceRows(
  dataSource: DataSource,
  table: string,
  serviceIds: readonly number[],
  isKept = 'false',
): Promise<number> {
  const counted = dataSource.query(`SELECT count(*) AS n FROM ${table} WHERE service_id = ANY ($1) AND NOT (${isKept})`, [
    serviceIds,
  ]);
  const rows = await orGone(counted, [{ n: 0 }]);
  return (rows as { n: number }[])[0]!.n;
}

/** A condition for `rewritePartition`: of all services but these. */
export function isOfNone(serviceIds: readonly number[]): string {
  return `service_id <> ALL (${idsText(serviceIds)})`;
}

/** Likewise: of one of these revisions. */
export function isOfRevisions(revisionIds: readonly number[]): string {
  return revisionIds.length === 0 ? 'false' : `revision_id = ANY (${idsText(revisionIds)})`;
}

function idsText(ids: readonly number[]): string {
  return `'{${ids.map(Number).join(',')}}'::bigint[]`;
}

/**
 * Deletes the rows of these services, a few at a time.
 *
 * @param isKept A condition over a row: those stay.
 * @returns How many; 0 also for a partition that is gone.
 */
export async function removeServiceRows(
  dataSource: DataSource,
  table: string,
  serviceIds: readonly number[],
  isKept = 'false',
): Promise<number> {
  let removed = 0;
  for (const serviceId of serviceIds) removed += await removeRowsOf(dataSource, table, serviceId, isKept);
  return removed;
}

/** The places of rows are those of one service only: of several, each could lie on another machine, where the same place is another row. */
async function removeRowsOf(dataSource: DataSource, table: string, serviceId: number, isKept: string): Promise<number> {
  for (let removed = 0; ;) {
    const deleted = dataSource.query(
      `DELETE FROM ${table} WHERE service_id = $1
         AND ctid = ANY (ARRAY (SELECT ctid FROM ${table} WHERE service_id = $1 AND NOT (${isKept}) LIMIT ${REMOVED_AT_ONCE}))`,
      [serviceId],
    );
    const [, count] = (await orGone(deleted, [[], 0])) as [unknown, number];
    removed += count;
    if (count === 0) return removed; // fewer than asked for may be rows that changed meanwhile
  }
}

/** A partition may be dropped between two looks. */
export async function orGone<Result>(query: Promise<Result>, none: Result): Promise<Result> {
  return query.catch((error: unknown) => {
    if ((error as { code?: string }).code === UNDEFINED_TABLE) return none;
    throw error;
  });
}
