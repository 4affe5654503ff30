import type { FlameGraphAnswer, FunctionsAnswer, LinesAnswer, TimelineAnswer, TransactionsAnswer } from '@hearth/query-contract';
import { PROFILE_TYPE_IDS } from '@hearth/profile-model';
import type { Batch } from '@hearth/wire-format';
import { allBuilt, allInDays } from '../support/all-built.js';
import { askJson } from '../support/ask.js';
import { madeBatch } from '../support/made-batch.js';
import { sendBatch } from '../support/send-batch.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

/** Of four minutes, in two processes of one revision each. */
const BUILT_BATCHES = 24;
/** Of four minutes two days before, which are in hours and a day as well. */
const OLD_BATCHES = 24;
const FIRST_OLD = 101;
const OLD_MS = 2 * 86_400_000;
/** Into the last of these minutes and the next one; nobody merges them any more. */
const PENDING_BATCHES = 6;
const FLUSH_MS = 10_000;

/** What a store says about itself: the same before and after it was migrated, or something was lost. */
export interface StoreAnswers {
  readonly cpu: { readonly sum: number; readonly samples: number };
  readonly cpuOfRelease: number;
  /** Of the days before. */
  readonly cpuOfDays: { readonly sum: number; readonly samples: number };
  readonly heap: number;
  /** By line of the one file of the first release; nothing where no lines were recorded. */
  readonly selfOfLine: Readonly<Record<string, number>>;
  readonly timeline: number;
  readonly selfOfFunction: Readonly<Record<string, number>>;
  readonly transactions: Readonly<Record<string, number>>;
  readonly services: readonly string[];
  readonly deploys: readonly string[];
  readonly projects: readonly string[];
}

/** Fills an empty database with some of everything, by a server that is stopped again. @returns When its data begins. */
export async function fillStore(databaseUrl: string): Promise<number> {
  const startMs = Math.floor(Date.now() / 60_000) * 60_000 - 10 * 60_000;
  await withServer({ databaseUrl }, async (whole) => {
    for (let sequence = 1; sequence <= BUILT_BATCHES; sequence += 1) await send(whole, storeBatch(sequence, startMs));
    for (let sequence = FIRST_OLD; sequence < FIRST_OLD + OLD_BATCHES; sequence += 1)
      await send(whole, storeBatch(sequence, startMs - OLD_MS - (FIRST_OLD - 1) * FLUSH_MS));
    await post(whole, '/api/v1/deploys', {
      service: 'made',
      environment: 'test',
      revision: 'made-2',
      version: '2.0.0',
      branch: 'main',
    });
    await post(whole, '/api/v1/projects', { name: 'second' });
    await post(whole, '/api/v1/source-maps?service=made&revision=made-2&file=dist/unused.js', {
      version: 3,
      sources: ['../src/unused.ts'],
      mappings: 'AAAA',
    });
    await pin(whole, '/api/v1/services/made/revisions/made-1/pin');
    await compareReleases(whole, startMs);
    await allBuilt(databaseUrl, 180_000);
    await allInDays(databaseUrl, startMs - OLD_MS / 2, 300_000);
  });
  await withServer({ databaseUrl, role: 'api' }, async (api) => {
    for (let sequence = BUILT_BATCHES + 1; sequence <= BUILT_BATCHES + PENDING_BATCHES; sequence += 1)
      await send(api, storeBatch(sequence, startMs));
    await post(api, '/api/v1/profiles?service=uploaded', 'main;read 3\nmain;write 4\n');
  });
  return startMs;
}

/** A server that is stopped however `work` ends. */
async function withServer(
  options: Parameters<typeof startTestServer>[0],
  work: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startTestServer(options);
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

async function compareReleases(server: TestServer, startMs: number): Promise<void> {
  const range = { service: 'made', from: String(startMs), until: String(startMs + 5 * 60_000) };
  const comparison = await post(server, '/api/v1/comparisons', {
    baseline: { ...range, revision: 'made-1' },
    candidate: { ...range, revision: 'made-2' },
  });
  await until(async () => {
    const { status } = await askJson<{ status: string }>(server, `/api/v1/comparisons/${String(comparison['id'])}`);
    return status === 'done' || undefined;
  });
}

const EVERY_LINES = 8;

/** The batch of this number, some with lines; each is one flush after the one before. */
export function storeBatch(sequence: number, startMs: number): Batch {
  const release = 1 + (sequence % 2);
  const batch = madeBatch({ processId: String(release).repeat(32), sequence, startMs: startMs + (sequence - 4) * FLUSH_MS });
  const [cpu] = batch.profiles;
  return {
    ...batch,
    process: { ...batch.process, revision: `made-${release}`, startedAtMs: startMs - 60_000, labels: [['region', 'eu']] },
    profiles: [
      { ...cpu!, lines: sequence % EVERY_LINES === 0 ? 'call-site' : 'definition' },
      {
        ...cpu!,
        typeId: PROFILE_TYPE_IDS.inuse_space,
        sampleValue: Float64Array.of(sequence * 4_096),
        sampleCount: Float64Array.of(1),
      },
    ],
  };
}

/** Asks the store that `fillStore` began at `startMs`. */
export async function askStore(server: TestServer, startMs: number): Promise<StoreAnswers> {
  const range = `service=made&from=${startMs - 60_000}&until=${startMs + 10 * 60_000}`;
  const flame = await askJson<FlameGraphAnswer>(server, `/api/v1/flame-graph?${range}`);
  const release = await askJson<FlameGraphAnswer>(server, `/api/v1/flame-graph?${range}&revision=made-2`);
  const heap = await askJson<FlameGraphAnswer>(server, `/api/v1/flame-graph?${range}&type=inuse_space`);
  const ofDays = await askJson<FlameGraphAnswer>(
    server,
    `/api/v1/flame-graph?service=made&from=${startMs - 3 * OLD_MS}&until=${startMs - OLD_MS / 2}`,
  );
  const { functions } = await askJson<FunctionsAnswer>(server, `/api/v1/functions?${range}&limit=1000`);
  const { series } = await askJson<TimelineAnswer>(server, `/api/v1/timeline?${range}`);
  const { transactions } = await askJson<TransactionsAnswer>(server, `/api/v1/transactions?${range}`);
  const days = `from=${startMs - 3_600_000}&until=${startMs + 24 * 3_600_000}`;
  const services = await askJson<{ name: string }[]>(server, `/api/v1/services?${days}`);
  const deploys = await askJson<{ revision: string }[]>(server, `/api/v1/deploys?${days}`);
  const projects = await askJson<{ name: string }[]>(server, '/api/v1/projects');
  return {
    cpu: { sum: flame.sum, samples: flame.samples },
    cpuOfRelease: release.sum,
    cpuOfDays: { sum: ofDays.sum, samples: ofDays.samples },
    heap: heap.sum,
    selfOfLine: await selfOfLine(server, range),
    timeline: series.flatMap(({ values }) => values).reduce((sum, value) => sum + value, 0),
    selfOfFunction: Object.fromEntries(functions.map(({ name, self }) => [name, self])),
    transactions: Object.fromEntries(transactions.map(({ name, count }) => [name, count])),
    services: services.map(({ name }) => name).sort(),
    deploys: deploys.map(({ revision }) => revision).sort(),
    projects: projects.map(({ name }) => name).sort(),
  };
}

async function selfOfLine(server: TestServer, range: string): Promise<Record<string, number>> {
  const query = `/api/v1/lines?${range}&revision=made-1&file=main.js`;
  const { lines } = await askJson<LinesAnswer>(server, query).catch((error: unknown) => {
    if (String(error).includes('LINES_NOT_RECORDED')) return { lines: [] };
    throw error;
  });
  return Object.fromEntries(lines.map(({ line, self }) => [line, self]));
}

async function send(server: TestServer, batch: Batch): Promise<void> {
  await until(async () => (await sendBatch(server, batch)).status === 202 || undefined);
}

async function pin(server: TestServer, path: string): Promise<void> {
  const response = await fetch(server.url + path, { method: 'PUT', headers: { authorization: `Bearer ${server.key}` } });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

async function post(server: TestServer, path: string, body: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${server.key}`,
      ...(typeof body === 'string' ? {} : { 'content-type': 'application/json' }),
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}
