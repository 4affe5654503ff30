import { Ticks } from '../../apps/server/src/platform/queue/index.js';
import type { TestPostgres } from './postgres.js';
import { QueryServer } from './query-server.js';
import { startRollupServer, type RollupServer } from './rollup-server.js';

/** One database with a worker that carries out what it is told to, and a second server that stores, builds and reads. */
export interface DeletionServer {
  readonly url: string;
  readonly server: RollupServer;
  of<Kind>(kind: new (...parameters: never[]) => Kind): Kind;
  close(): Promise<void>;
}

export async function startDeletionServer(postgres: TestPostgres): Promise<DeletionServer> {
  const url = await postgres.createDatabase();
  const worker = await QueryServer.start(url, 'worker');
  const of = <Kind>(kind: new (...parameters: never[]) => Kind): Kind => worker.app.get(kind, { strict: false });
  await of(Ticks).beforeApplicationShutdown(); // nothing is built or deleted but by the test
  const server = await startRollupServer(url);
  const close = async () => {
    await server.close();
    await worker.stop();
  };
  return { url, server, of, close };
}
