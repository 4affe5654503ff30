/** The server is away for minutes: what do agents lose, with a spool and without? `-- outage [--minutes 10]` docs/benchmarks.md */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ProcessAnswer, TransactionsAnswer } from '@hearth/query-contract';
import type { Batch } from '@hearth/wire-format';
import { askJson } from '../../test/support/ask.js';
import { startRecordingProxy } from '../../test/support/recording-proxy.js';
import { startTestServer, type TestServer } from '../../test/support/server.js';
import { printFigures, progress } from './agent/figures.js';
import { numberOption } from './store/number-option.js';

const HOST = fileURLToPath(new URL('./outage/counting-host.mjs', import.meta.url));
const minutes = numberOption('minutes', 10);
/** Before the outage, and after it until everything that waits must be there. */
const UP_MS = 25_000;
/** As long as the longest wait between two attempts, and then some. */
const RECOVERY_MS = 100_000;
/** The ring as it is by default, and one that holds a small part of the outage, as that of a busy service may. */
const RINGS = { default: 8 * 1024 * 1024, small: 16 * 1024 };

/** One service: the processes that ran under its name, one after the other. */
class CountedService {
  readonly name: string;
  readonly isKilled: boolean;
  readonly #ringBytes: number;
  readonly #env: NodeJS.ProcessEnv;
  readonly lines: string[] = [];
  #host: ChildProcess | undefined;
  /** Of the processes that have ended. */
  #ended = 0;
  #running = 0;

  constructor(name: string, ringBytes: number, isKilled: boolean, env: NodeJS.ProcessEnv) {
    this.name = name;
    this.#ringBytes = ringBytes;
    this.isKilled = isKilled;
    this.#env = { ...env, HEARTH_SERVICE: name, HEARTH_REVISION: 'r1' };
  }

  get transactions(): number {
    return this.#ended + this.#running;
  }

  start(): void {
    this.#host = fork(HOST, [String(this.#ringBytes)], { env: this.#env, execArgv: [] });
    this.#host.on('message', (message) => {
      const told = message as { count?: number; line?: string };
      if (told.count !== undefined) this.#running = told.count;
      if (told.line !== undefined) this.lines.push(told.line);
    });
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    const ended = once(this.#host!, 'exit');
    this.#host!.kill('SIGKILL');
    await ended;
    this.#ended += this.#running;
    this.#running = 0;
  }

  async end(): Promise<void> {
    const ended = once(this.#host!, 'exit');
    this.#host!.send('end');
    await ended;
  }
}

/** What was acknowledged of a service, by the sequences of its processes' batches. */
function windowsOf(acknowledged: readonly Batch[], service: string) {
  const sequences = new Map<string, Set<number>>();
  let counted = 0;
  for (const { process: sender, sequence, report } of acknowledged) {
    if (sender.service !== service) continue;
    const ofProcess = sequences.get(sender.id) ?? new Set<number>();
    sequences.set(sender.id, ofProcess);
    if (ofProcess.has(sequence)) continue; // sent twice, stored once
    ofProcess.add(sequence);
    counted += report.droppedBatches;
  }
  const [sent, made] = [...sequences.values()].reduce(
    ([sum, last], ofProcess) => [sum + ofProcess.size, last + Math.max(...ofProcess)],
    [0, 0],
  );
  return { windows: made, sent, lost: made - sent, counted };
}

const dataDir = mkdtempSync(path.join(tmpdir(), 'hearth-bench-outage-'));
const spoolDir = mkdtempSync(path.join(tmpdir(), 'hearth-bench-spool-'));
chmodSync(dataDir, 0o755); // as root, Postgres runs as nobody
let server: TestServer = await startTestServer({ dataDir });
const { port } = server;
const proxy = await startRecordingProxy(server.url);
try {
  const env = { ...process.env, HEARTH_URL: proxy.url, HEARTH_KEY: server.key };
  const spooled = { ...env, HEARTH_SPOOL_DIR: spoolDir };
  const services = [
    new CountedService('default-ring', RINGS.default, false, env),
    new CountedService('default-ring-spool', RINGS.default, false, spooled),
    new CountedService('small-ring', RINGS.small, false, env),
    new CountedService('small-ring-spool', RINGS.small, false, spooled),
    new CountedService('killed', RINGS.default, true, env),
    new CountedService('killed-spool', RINGS.default, true, spooled),
  ];
  const fromMs = Date.now();
  for (const service of services) service.start();
  await sleep(UP_MS);
  await server.stop();
  progress(`the server is away for ${minutes} minutes`);
  await sleep((minutes * 60_000) / 2);
  await Promise.all(services.filter(({ isKilled }) => isKilled).map((service) => service.kill()));
  for (const service of services.filter(({ isKilled }) => isKilled)) service.start();
  progress('two of the services were killed and started again');
  await sleep((minutes * 60_000) / 2);
  server = await startTestServer({ dataDir, port });
  progress('the server is back');
  await sleep(RECOVERY_MS);
  await Promise.all(services.map((service) => service.end()));
  const table: Record<string, unknown> = {};
  for (const service of services) {
    const range = `service=${service.name}&from=${fromMs - 60_000}&until=${Date.now() + 60_000}`;
    const answer = await askJson<TransactionsAnswer>(server, `/api/v1/transactions?${range}`);
    const processes = await askJson<ProcessAnswer[]>(server, `/api/v1/services/${service.name}/processes`);
    table[service.name] = {
      ...windowsOf(proxy.acknowledged, service.name),
      counted_by_server: processes.reduce((sum, { droppedBatches }) => sum + droppedBatches, 0),
      transactions: service.transactions,
      transactions_lost: service.transactions - (answer.transactions[0]?.count ?? 0),
    };
    for (const line of service.lines) progress(`${service.name}: ${line}`);
  }
  if (!process.argv.includes('--json')) console.table(table);
  printFigures({ minutes });
  console.log(JSON.stringify(table));
} finally {
  await proxy.stop();
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
  rmSync(spoolDir, { recursive: true, force: true });
}
