import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import { inDatabaseTransaction } from './database-transaction.js';
import { orGone } from './service-rows.js';

/** So that nobody waits long for a row. */
const REMOVED_AT_ONCE = 10_000;
/** For rows that somebody holds: a batch that is being stored takes far less. */
const WAITS = 100;
const WAIT_MS = 100;

/** Rows of one service. */
export interface RowCondition {
  readonly where: string;
  readonly parameters: readonly unknown[];
}

/** Called in the database transaction that took the rows away. */
export type NoteRemoved = (
  client: ClientBase,
  removed: { readonly rows: number; readonly tables: readonly string[] },
) => Promise<void>;

/**
 * Deletes rows of one table, a few at a time, each few in a database transaction of its own. Rows that somebody holds are passed by and come
 * last: writers lock theirs in the order of their keys, and two orders would be a circle. None is left of those that were there when it was called.
 *
 * @throws if rows are held all the time
 */
export async function removeRows(
  dataSource: DataSource,
  table: string,
  { where, parameters }: RowCondition,
  note: NoteRemoved,
): Promise<void> {
  const few = `DELETE FROM ${table} WHERE ctid = ANY (ARRAY (SELECT ctid FROM ${table} WHERE ${where} LIMIT ${REMOVED_AT_ONCE} FOR UPDATE SKIP LOCKED))`;
  for (let waits = 0; waits < WAITS;) {
    const removing = inDatabaseTransaction(dataSource, async ({ client }) => {
      const { rowCount: rows } = await client.query(few, [...parameters]);
      if (rows !== null && rows > 0) await note(client, { rows, tables: [table] });
      return rows;
    });
    if ((await orGone(removing, 0)) !== 0) continue;
    const left = (await orGone(
      dataSource.query(`SELECT FROM ${table} WHERE ${where} LIMIT 1`, [...parameters]),
      [],
    )) as unknown[];
    if (left.length === 0) return;
    waits += 1;
    await sleep(WAIT_MS);
  }
  throw new Error(`rows of ${table} are held by others all the time`);
}
