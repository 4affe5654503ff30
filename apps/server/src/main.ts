#!/usr/bin/env node
import 'reflect-metadata';
import { EnvironmentError, readEnvironment } from './config/environment.js';
import { HearthServer } from './hearth-server.js';
import { parseCommandLine, runCommand, USAGE, UsageError, type Command } from './operations/index.js';
import { VERSION } from './version.js';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** Their message says all there is to say; of any other error its stack is shown. */
const EXPECTED = ['EnvironmentError', 'StartError', 'PostgresStartError', 'UsageError', 'HearthError', 'StoppedError'];

/** A signal ended a command before it was done. */
class StoppedError extends Error {
  override readonly name = 'StoppedError';
}

/** Exit codes: 0 stopped as asked or done, 1 could not start or broke, 2 a variable or an argument is wrong. */
async function main(): Promise<void> {
  const asked = parseCommandLine(process.argv.slice(2));
  if (asked.name === 'help') process.stdout.write(USAGE);
  else if (asked.name === 'version') process.stdout.write(`${VERSION}\n`);
  else if (asked.name === 'serve') await serve();
  else await obey(asked);
}

async function serve(): Promise<void> {
  const environment = readEnvironment();
  const starting = HearthServer.start(environment);
  // From the first moment: a server that is killed while it starts would leave its Postgres behind.
  for (const signal of SIGNALS) {
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

async function obey(command: Command): Promise<void> {
  const stopping = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      stopping.abort(new StoppedError(`${command.name} was stopped by ${signal}`));
    });
  }
  await runCommand(command, readEnvironment(), stopping.signal);
  process.exit(0); // a pipe at standard input that nobody closes would keep the process
}

function fail(error: unknown): never {
  const { name, message, stack, code } = error as Error & { code?: unknown };
  const text = EXPECTED.includes(name) ? message : (stack ?? String(error));
  process.stderr.write(`hearth: ${name === 'HearthError' ? `${String(code)}: ` : ''}${text}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${USAGE}`);
  process.exit(error instanceof EnvironmentError || error instanceof UsageError ? 2 : 1);
}

main().catch(fail);
