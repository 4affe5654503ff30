/**
 * A service with little to do, for a long time: requests to itself, files, steps, allocations, and a thread every so often. Prints what memory it has
 * after a full collection, every fifteen seconds. Arguments: where batches go, or `off`; how many minutes.
 */
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { init, span, stop, tag, transaction } from '@hearth/agent';

export interface SoakRow {
  readonly minute: number;
  readonly heapMb: number;
  /** Outside of the JavaScript heap: the profilers' own, code, buffers. */
  readonly otherMb: number;
}

const KINDS = ['alpha', 'beta', 'gamma'] as const;
const JOB_EVERY_MS = 100;
const ROW_EVERY_MS = 15_000;
const THREAD_EVERY_MS = 60_000;

const [url, minutes] = process.argv.slice(2) as [string, string];
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const logger = { info: () => {}, warn: (text: string) => console.error(text) };
if (url !== 'off') init({ url, key: 'bench', service: 'bench', revision: 'bench', periodMs: 1_000, logger });

const busy = {
  alpha: function alphaWork() {
    burn(2);
  },
  beta: function betaWork() {
    burn(2);
  },
  gamma: function gammaWork() {
    burn(2);
  },
};
function burn(ms: number): void {
  const until = performance.now() + ms;
  for (let x = 0; performance.now() < until;) x += Math.sqrt(x + 1);
}

const server = createServer((_, response) => void setTimeout(() => response.end('done'), 5)).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

async function job(at: number): Promise<void> {
  const kind = KINDS[at % KINDS.length]!;
  await transaction(kind, { size: at % 10 }, async () => {
    busy[kind]();
    const kept = Array.from({ length: 2_000 }, (_, item) => ({ item, at }));
    await span('ask', { at }, async () => (await fetch(address)).text());
    busy[kind]();
    tag({ files: String((await stat(process.argv[1]!)).isFile()), kept: kept.length });
    busy[kind]();
  });
}

const rows: SoakRow[] = [];
const startedAt = performance.now();
const endAt = startedAt + Number(minutes) * 60_000;
const jobs: Promise<void>[] = [];
let [rowAt, threadAt] = [startedAt + ROW_EVERY_MS, startedAt + THREAD_EVERY_MS];
for (let at = 0; performance.now() < endAt; at += 1) {
  jobs.push(job(at));
  if (jobs.length > 5) await jobs.shift();
  await pause(JOB_EVERY_MS);
  if (performance.now() > threadAt) {
    threadAt += THREAD_EVERY_MS;
    const worker = new Worker('for (let x = 0, until = Date.now() + 50; Date.now() < until;) x += Math.sqrt(x + 1);', {
      eval: true,
    });
    await new Promise((resolve) => worker.once('exit', resolve));
  }
  if (performance.now() > rowAt) {
    rowAt += ROW_EVERY_MS;
    collect();
    const { rss, heapUsed, heapTotal } = process.memoryUsage();
    rows.push({
      minute: (performance.now() - startedAt) / 60_000,
      heapMb: heapUsed / 2 ** 20,
      otherMb: (rss - heapTotal) / 2 ** 20,
    });
  }
}
await Promise.all(jobs);
await stop();
server.close();
server.closeAllConnections();
console.log(JSON.stringify(rows));
process.exit();
