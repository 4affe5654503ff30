import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import { PROFILE_TYPE_IDS } from '@hearth/profile-model';
import { BATCH_CONTENT_TYPE, encodeBatch, type Batch } from '@hearth/wire-format';
import { startTestServer } from '../../../test/support/server.js';
import { FLUSH_MS, LABEL_SETS, type Flush } from './resampled-flushes.js';

/** Requests under way at once. */
const CONCURRENCY = 64;
const PROFILE_TYPES = [PROFILE_TYPE_IDS.cpu, PROFILE_TYPE_IDS.wall, PROFILE_TYPE_IDS.inuse_space];

export interface HttpFigures {
  /** By CPU time of the server's process, all its threads; Postgres apart. */
  readonly profilesPerSecondPerCore: number;
  readonly profilesPerSecond: number;
  readonly serverRssMb: number;
}

/** Sends every flush as the batch of an agent, three profiles each, to an api process; acknowledged after commit. */
export async function loadOverHttp(databaseUrl: string, flushes: Iterable<Flush>, warmUp: number): Promise<HttpFigures> {
  const server = await startTestServer({ role: 'api', databaseUrl });
  try {
    const processIds = new Map<number, string>();
    const idOf = (process: number) =>
      processIds.get(process) ?? processIds.set(process, randomBytes(16).toString('hex')).get(process)!;
    const bodies = Array.from(flushes, (flush) => gzipSync(encodeBatch(batchOf(flush, idOf(flush.process)))));
    const send = async (body: Uint8Array<ArrayBuffer>) => {
      const headers = { authorization: `Bearer ${server.key}`, 'content-type': BATCH_CONTENT_TYPE, 'content-encoding': 'gzip' };
      const answer = await fetch(`${server.url}/api/v1/batches`, { method: 'POST', headers, body });
      const text = await answer.text();
      if (answer.status !== 202 || !text.includes('"accepted":1')) throw new Error(`${answer.status} ${text}`);
    };
    await sendAll(bodies.slice(0, warmUp), send);
    const [cpu, wall] = [await cpuSeconds(server.url), performance.now()];
    await sendAll(bodies.slice(warmUp), send);
    const seconds = (performance.now() - wall) / 1e3;
    const profiles = (bodies.length - warmUp) * PROFILE_TYPES.length;
    const after = await metricsOf(server.url);
    return {
      profilesPerSecondPerCore: profiles / (metric(after, 'process_cpu_seconds_total') - cpu),
      profilesPerSecond: profiles / seconds,
      serverRssMb: metric(after, 'process_resident_memory_bytes') / 2 ** 20,
    };
  } finally {
    await server.stop();
  }
}

async function sendAll<Body>(bodies: readonly Body[], send: (body: Body) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (next < bodies.length) await send(bodies[next++]!);
    }),
  );
}

async function cpuSeconds(url: string): Promise<number> {
  return metric(await metricsOf(url), 'process_cpu_seconds_total');
}

async function metricsOf(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

function metric(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
}

function batchOf(flush: Flush, processId: string): Batch {
  const { functions, stacks, sampleStack, sampleLabelSet, sampleValue, sampleCount } = flush;
  return {
    process: {
      id: processId,
      service: 'bench',
      environment: 'bench',
      startedAtMs: flush.startMs - 3_600_000,
      host: 'here',
      pid: 1,
      nodeVersion: process.version,
      agentVersion: '0.0.0',
      rateHz: 99,
      revision: 'bench-1',
      revisionSource: 'option',
      isDirty: false,
      version: '1.0.0',
      rootDir: '/srv/bench',
      labels: [],
    },
    sequence: Math.floor(flush.startMs / FLUSH_MS),
    startMs: flush.startMs,
    durationMs: FLUSH_MS,
    functions: {
      length: functions.length,
      name: functions.name,
      scriptName: functions.file.map(
        (file, row) =>
          `file:///srv/bench/${functions.package[row] === '' ? '' : `node_modules/${functions.package[row]}/`}${file}`,
      ),
      line: new Uint32Array(functions.length),
    },
    stacks,
    labelSets: LABEL_SETS,
    profiles: PROFILE_TYPES.map((typeId) => ({ typeId, lines: 'none', sampleStack, sampleLabelSet, sampleValue, sampleCount })),
    transactions: LABEL_SETS.slice(1, 5).map((_, row) => ({
      labelSet: row + 1,
      kind: 'http',
      outcome: 'ok',
      count: 40,
      durationSumMicros: 400_000,
      sketchBucket: Int32Array.of(400, 420, 440, 460),
      sketchCount: Float64Array.of(10, 10, 10, 10),
    })),
    series: ['rss_bytes', 'heap_used_bytes', 'cpu_user_micros', 'event_loop_delay_p99_micros'].map((name, at) => ({
      name,
      value: 1e6 * (at + 1),
    })),
    report: { droppedBatches: 0, droppedSamples: 0, lateLabels: 0, foldedLabelSets: 0, restartedSamplers: 0 },
  };
}
