import { escapeLiteral } from 'pg';
import type { DataSource } from 'typeorm';
import { inDatabaseTransaction } from './database-transaction.js';

export interface AdvisoryLock {
  /** Number of the kind of work: any that nobody else locks in this database. */
  readonly kind: number;
  /** Which piece of that work. */
  readonly of: string;
}

/**
 * Runs `work` while nobody else holds the lock, and not at all if somebody does. The lock is of a database transaction that does
 * nothing else: it ends with its connection, also when this process is killed, and a pooler keeps that connection for it.
 *
 * @returns `taken`: somebody holds it. Otherwise what `work` gave.
 */
export async function unlessLocked<Result>(
  dataSource: DataSource,
  { kind, of }: AdvisoryLock,
  work: () => Promise<Result>,
): Promise<Result | 'taken'> {
  return inDatabaseTransaction(dataSource, async ({ client }) => {
    await client.query('SET LOCAL idle_in_transaction_session_timeout = 0');
    // No parameters: they leave the question's portal open, and with it a snapshot that VACUUM would wait for as long as `work` takes.
    const locked = await client.query(`SELECT pg_try_advisory_xact_lock(${kind}, hashtext(${escapeLiteral(of)})) AS held`);
    return (locked.rows as { held: boolean }[])[0]!.held ? work() : 'taken';
  });
}
