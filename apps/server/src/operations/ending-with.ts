import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';

/**
 * Runs `work` on the connection of a database transaction, and ends that connection when `signal` says so or `work` fails: a
 * COPY that is broken off leaves a connection unusable, and would hold its database transaction for ever.
 *
 * @throws the signal's reason, once it is aborted
 */
export async function endingWith<Result>(
  signal: AbortSignal,
  dataSource: DataSource,
  client: ClientBase,
  work: () => Promise<Result>,
): Promise<Result> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const end = () => dataSource.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid]).catch(() => undefined);
  const onAbort = () => void end();
  signal.addEventListener('abort', onAbort);
  try {
    signal.throwIfAborted();
    return await work();
  } catch (error) {
    await end();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
