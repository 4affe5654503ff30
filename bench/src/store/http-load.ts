import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestServer } from '../../../test/support/server.js';
import { metricOf, metricsOf } from './server-metrics.js';

/** Requests under way at once. */
const CONCURRENCY = 64;
const RETRY_MS = 300;

export interface LoadRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Profiles in it. */
  readonly profiles: number;
}

export interface HttpFigures {
  /** By CPU time of the server's process, all its threads; Postgres apart. */
  readonly profilesPerSecondPerCore: number;
  /** The same with the CPU time of Postgres. */
  readonly profilesPerSecondPerCoreWithPostgres: number;
  readonly profilesPerSecond: number;
  readonly requestsPerSecond: number;
  /** Requests that were refused for now, or got no answer. */
  readonly sentAgain: number;
  readonly serverRssMb: number;
}

/** Sends every request, each acknowledged after commit. The first `warmUp` are not measured. @throws {Error} unless all are acknowledged */
export async function loadOverHttp(
  server: TestServer,
  postgresCpuSeconds: () => number,
  requests: readonly LoadRequest[],
  warmUp: number,
): Promise<HttpFigures> {
  const cpuNow = async () => ({
    server: metricOf(await metricsOf(server.url), 'process_cpu_seconds_total'),
    postgres: postgresCpuSeconds(),
  });
  await sendAll(server, requests.slice(0, warmUp));
  const measured = requests.slice(warmUp);
  const [before, start] = [await cpuNow(), performance.now()];
  const sentAgain = await sendAll(server, measured);
  const seconds = (performance.now() - start) / 1e3;
  const after = await cpuNow();
  const profiles = measured.reduce((sum, request) => sum + request.profiles, 0);
  return {
    profilesPerSecondPerCore: profiles / (after.server - before.server),
    profilesPerSecondPerCoreWithPostgres: profiles / (after.server - before.server + after.postgres - before.postgres),
    profilesPerSecond: profiles / seconds,
    requestsPerSecond: measured.length / seconds,
    sentAgain,
    serverRssMb: metricOf(await metricsOf(server.url), 'process_resident_memory_bytes') / 2 ** 20,
  };
}

/** @returns How many had to be sent again. */
async function sendAll(server: TestServer, requests: readonly LoadRequest[]): Promise<number> {
  let [next, sentAgain] = [0, 0];
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (next < requests.length) if ((await send(server, requests[next++]!)) > 0) sentAgain += 1;
    }),
  );
  return sentAgain;
}

/** As an agent does it: what is refused for now, or got no answer, is sent again. @returns How often it had to be. */
async function send(server: TestServer, request: LoadRequest): Promise<number> {
  for (let again = 0; ; again += 1) {
    if (await isStored(server, request)) return again;
    await sleep(RETRY_MS);
  }
}

async function isStored({ url, key }: TestServer, { path, headers, body }: LoadRequest): Promise<boolean> {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, ...headers },
    body,
  }).catch(() => undefined); // the server may close an idle connection in the moment in which it is used again
  if (answer === undefined || answer.status === 429 || answer.status === 503) return false;
  const text = await answer.text();
  if (!answer.ok || /"accepted":0,"duplicates":0/.test(text)) throw new Error(`${path}: ${answer.status} ${text}`);
  return true;
}
