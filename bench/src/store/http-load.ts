import { performance } from 'node:perf_hooks';
import type { TestServer } from '../../../test/support/server.js';
import { metricOf, metricsOf } from './server-metrics.js';

/** Requests under way at once. */
const CONCURRENCY = 64;

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
  await sendAll(server, measured);
  const seconds = (performance.now() - start) / 1e3;
  const after = await cpuNow();
  const profiles = measured.reduce((sum, request) => sum + request.profiles, 0);
  return {
    profilesPerSecondPerCore: profiles / (after.server - before.server),
    profilesPerSecondPerCoreWithPostgres: profiles / (after.server - before.server + after.postgres - before.postgres),
    profilesPerSecond: profiles / seconds,
    requestsPerSecond: measured.length / seconds,
    serverRssMb: metricOf(await metricsOf(server.url), 'process_resident_memory_bytes') / 2 ** 20,
  };
}

async function sendAll(server: TestServer, requests: readonly LoadRequest[]): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (next < requests.length) await send(server, requests[next++]!);
    }),
  );
}

async function send({ url, key }: TestServer, { path, headers, body }: LoadRequest): Promise<void> {
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers: { authorization: `Bearer ${key}`, ...headers }, body });
  const text = await answer.text();
  if (!answer.ok || /"accepted":0/.test(text)) throw new Error(`${path}: ${answer.status} ${text}`);
}
