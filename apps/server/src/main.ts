#!/usr/bin/env node
import 'reflect-metadata';
import { EnvironmentError, readEnvironment } from './config/environment.js';
import { HearthServer } from './hearth-server.js';

/** Exit codes: 0 stopped as asked, 1 could not start or broke, 2 a variable is wrong. */
async function main(): Promise<void> {
  const environment = readEnvironment();
  const starting = HearthServer.start(environment);
  // From the first moment: a server that is killed while it starts would leave its Postgres behind.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      starting.then((server) => server.stop(signal)).then(() => process.exit(0), fail);
    });
  }
  const server = await starting;
  process.on('uncaughtException', (error) => {
    process.stderr.write(`hearth: ${error.stack ?? String(error)}\n`);
    void server.stop('uncaught exception').finally(() => process.exit(1));
  });
}

function fail(error: unknown): never {
  const isExpected = ['EnvironmentError', 'StartError', 'PostgresStartError'].includes((error as Error).name);
  process.stderr.write(`hearth: ${isExpected ? (error as Error).message : ((error as Error).stack ?? String(error))}\n`);
  process.exit(error instanceof EnvironmentError ? 2 : 1);
}

main().catch(fail);
