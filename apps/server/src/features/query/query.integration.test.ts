import { gunzipSync } from 'node:zlib';
import { readProfiles } from '@hearth/profile-formats';
import { PROFILE_TYPE_IDS, parseProfileTypeId } from '@hearth/profile-model';
import { profileFromText, randomProfile } from '@hearth/profile-model/testing';
import type {
  FlameGraphAnswer,
  FunctionsAnswer,
  LabelValuesAnswer,
  Problem,
  ServiceAnswer,
  TimelineAnswer,
  TransactionsAnswer,
} from '@hearth/query-contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { QueryGate } from './query-gate.js';
import { ServiceQueries } from './service-queries.js';

const T = Date.UTC(2026, 10, 20, 12);
const MINUTE = 60_000;
const RANGE = `from=${T}&until=${T + 5 * MINUTE}`;
const heap = parseProfileTypeId(PROFILE_TYPE_IDS.inuse_space);

const cpu = profileFromText(`
  4000x4                          3000x3                           2000x2                1000x1
  {transaction=GET /,plan=pro}    {transaction=GET /,plan=free}    {transaction=report}  {}
  main@src/main.ts                main@src/main.ts                 main@src/main.ts      (garbage collector)
  handle@express:lib/router.js    handle@express:lib/router.js     render@src/report.ts
  query@src/db.ts                 sort@src/cart.ts                 render@src/report.ts
`);
const heapOf = (value: number) =>
  profileFromText(
    `
  ${value}  200
  a@a.ts    a@a.ts
            b@b.ts
`,
    { type: heap },
  );

let postgres: TestPostgres;
let server: QueryServer;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await QueryServer.start(await postgres.createDatabase());
  const requests = (labels: Record<string, string>, count: number, micros: number) => ({
    labels,
    durationsMicros: Array.from({ length: count }, () => micros),
  });
  await server.store(
    {
      process: 'p1',
      processLabels: { pod: 'shop-a' },
      startMs: T,
      profiles: [cpu, heapOf(1000)],
      series: { rss_bytes: 5_000_000 },
      transactions: [
        requests({ transaction: 'GET /', plan: 'pro' }, 4, 1000),
        requests({ transaction: 'GET /', plan: 'free' }, 1, 5000),
        { ...requests({ transaction: 'GET /', plan: 'free' }, 1, 9000), outcome: 'error' },
        { ...requests({ transaction: 'report' }, 2, 70_000), kind: 'custom' },
        { labels: { measure: 'parse' }, kind: 'measure', durationsMicros: [400, 500, 600, 70_000] },
        { labels: { measure: 'parse' }, kind: 'measure', outcome: 'error', durationsMicros: [3_000_000] },
        { labels: { measure: 'GET /' }, kind: 'measure', durationsMicros: [1_000] },
      ],
    },
    {
      process: 'p1',
      startMs: T + MINUTE,
      profiles: [cpu, heapOf(3000)],
      series: { rss_bytes: 6_000_000 },
      transactions: [requests({ transaction: 'GET /', plan: 'pro' }, 2, 1000)],
    },
    {
      process: 'p2',
      processLabels: { pod: 'shop-b' },
      revision: 'r2',
      environment: 'staging',
      startMs: T + 2 * MINUTE,
      durationMs: 20_000,
      profiles: [cpu],
      transactions: [{ labels: { measure: 'parse' }, kind: 'measure', durationsMicros: [900, 900] }],
    },
  );
  // Another service, of random profiles, for figures that must agree.
  for (let seed = 1; seed <= 12; seed += 1) {
    await server.store({
      service: 'random',
      process: `r${seed % 3}`,
      revision: `v${seed % 2}`,
      startMs: T + seed * 17_000,
      profiles: [randomProfile(seed)],
    });
  }
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});

/** Compared with the file of that name; `npx vitest run --project integration apps/server/src/features/query -u` writes them anew. */
const expectGolden = (name: string, body: unknown) => {
  // A column stays on its line, so that rows can be counted.
  const text = JSON.stringify(body, undefined, 2).replaceAll(/\[[^[\]{}]*\]/g, (column) => column.replaceAll(/\s*\n\s*/g, ' '));
  return expect(`${text}\n`).toMatchFileSnapshot(`./golden/${name}.json`);
};
const exported = (pprof: Uint8Array, sampleType: string) =>
  readProfiles(pprof, { inflate: (bytes) => gunzipSync(bytes) }).profiles.find(({ type }) => type.sampleType === sampleType)!;
const cpuOf = (pprof: Uint8Array) => exported(pprof, 'cpu');
const sumOf = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value, 0);

describe('answers', () => {
  it.each([
    ['flame-graph', `/api/v1/flame-graph?service=shop&${RANGE}`],
    ['flame-graph-limited', `/api/v1/flame-graph?service=shop&transaction=GET%20%2F&maxNodes=3&${RANGE}`],
    ['functions', `/api/v1/functions?service=shop&sort=total&${RANGE}`],
    ['timeline-by-plan', `/api/v1/timeline?service=shop&groupBy=plan&stepMs=60000&${RANGE}`],
    ['timeline-heap', `/api/v1/timeline?service=shop&type=inuse_space&stepMs=60000&${RANGE}`],
    ['transactions', `/api/v1/transactions?service=shop&${RANGE}`],
    ['transaction', `/api/v1/transactions/GET%20%2F?service=shop&${RANGE}`],
    ['measures', `/api/v1/measures?service=shop&${RANGE}`],
    ['revisions', '/api/v1/services/shop/revisions'],
    ['processes', '/api/v1/services/shop/processes'],
    ['labels', `/api/v1/services/shop/labels?${RANGE}`],
    ['label-values', `/api/v1/services/shop/labels/plan/values?${RANGE}`],
  ])('%s', async (name, path) => {
    const { status, body } = await server.get(path);
    await expectGolden(name, body);
    expect(status).toBe(200);
  });

  it('services, with the figures of the last minutes', async () => {
    const services = await server.app
      .get(ServiceQueries, { strict: false })
      .list(1, new AbortController().signal, T + 3 * MINUTE);
    await expectGolden('services', services satisfies ServiceAnswer[]);
    expect(services).toHaveLength(2);
  });
});

describe('one selection', () => {
  const selections = [
    '',
    '&revision=v1',
    '&environment=production',
    '&transaction=GET%20%2F1',
    `&match=${encodeURIComponent('{plan="free"}')}`,
    `&match=${encodeURIComponent('{plan!="free",transaction=~"GET.*"}')}`,
    `&process=${Buffer.from('r1').toString('hex').padStart(32, '0')}`,
  ];
  it.each(selections)('has one figure in every view: %s', async (filter) => {
    const query = `service=random&from=${T}&until=${T + 4 * MINUTE}${filter}`;
    const flame = (await server.get<FlameGraphAnswer>(`/api/v1/flame-graph?${query}`)).body;
    expect(flame.sum).toBeGreaterThan(0);
    expect(flame.total[0]).toBe(flame.sum);
    expect(sumOf(flame.self)).toBe(flame.sum);

    const limited = (await server.get<FlameGraphAnswer>(`/api/v1/flame-graph?maxNodes=5&${query}`)).body;
    expect([limited.sum, sumOf(limited.self)]).toEqual([flame.sum, flame.sum]);
    expect(limited.truncated.nodes).toBeGreaterThan(0);

    const functions = (await server.get<FunctionsAnswer>(`/api/v1/functions?limit=10000&${query}`)).body;
    expect(functions.sum).toBe(flame.sum);
    expect(sumOf(functions.functions.map((row) => row.self))).toBe(flame.sum - flame.self[0]!);

    for (const groupBy of ['', 'plan', 'revision', 'process', 'nobody']) {
      const timeline = (await server.get<TimelineAnswer>(`/api/v1/timeline?groupBy=${groupBy}&${query}`)).body;
      expect({ groupBy, sum: sumOf(timeline.series.flatMap((series) => series.values)) }).toEqual({ groupBy, sum: flame.sum });
    }

    const transactions = (await server.get<TransactionsAnswer>(`/api/v1/transactions?${query}`)).body;
    expect(sumOf(transactions.transactions.map((row) => row.cpuMicros)) + transactions.backgroundCpuMicros).toBe(flame.sum);

    const pprof = await server.getBytes(`/api/v1/export?${query}`);
    expect(sumOf(cpuOf(pprof).sampleValue)).toBe(flame.sum);
    const folded = Buffer.from(await server.getBytes(`/api/v1/export?format=folded&${query}`)).toString();
    expect(sumOf([...folded.matchAll(/(\d+)\n/g)].map(([, value]) => Number(value)))).toBe(flame.sum);
  });

  it('keeps its labels in the export', async () => {
    const pprof = await server.getBytes(`/api/v1/export?service=shop&${RANGE}`);
    const profile = cpuOf(pprof);
    const pro = profile.labelSets.findIndex((labels) => labels.some(([name, value]) => name === 'plan' && value === 'pro'));
    expect(sumOf(profile.sampleValue.filter((_, row) => profile.sampleLabelSet[row] === pro))).toBe(12_000);
  });

  it('can be of one process label', async () => {
    const { body } = await server.get<FlameGraphAnswer>(
      `/api/v1/flame-graph?service=shop&match=${encodeURIComponent('{pod=~".*-b"}')}&${RANGE}`,
    );
    expect(body.sum).toBe(10_000);
  });

  it('is empty, not wrong, where nothing matches', async () => {
    const { body } = await server.get<FlameGraphAnswer>(
      `/api/v1/flame-graph?service=shop&match=${encodeURIComponent('{plan="gold"}')}&${RANGE}`,
    );
    expect(body).toMatchObject({ sum: 0, samples: 0, depth: [0], total: [0], names: ['total'] });
  });
});

describe('levels', () => {
  it('are averages over the time lived, the same in every view', async () => {
    const query = `service=shop&type=inuse_space&revision=r1&${RANGE}`;
    const flame = (await server.get<FlameGraphAnswer>(`/api/v1/flame-graph?${query}`)).body;
    // p1 lived 70 s: 10 s at 1,200 bytes, 10 s at 3,200.
    expect(flame.sum).toBe(Math.round((1200 * 10 + 3200 * 10) / 70));
    expect(flame.kind).toBe('level');
    expect(sumOf(flame.self)).toBe(flame.sum);
    const functions = (await server.get<FunctionsAnswer>(`/api/v1/functions?${query}`)).body;
    expect(sumOf(functions.functions.map((row) => row.self))).toBe(flame.sum);
    expect(sumOf(exported(await server.getBytes(`/api/v1/export?${query}`), 'inuse_space').sampleValue)).toBe(flame.sum);
  });

  it('are refused for a transaction or a label of samples, and filtered by a label of processes', async () => {
    for (const filter of ['transaction=GET%20%2F', `match=${encodeURIComponent('{plan="pro"}')}`]) {
      const { status, body } = await server.get<Problem>(`/api/v1/flame-graph?service=shop&type=inuse_space&${filter}&${RANGE}`);
      expect([status, body.code]).toEqual([400, 'HEAP_HAS_NO_LABELS']);
    }
    const { body } = await server.get<FlameGraphAnswer>(
      `/api/v1/flame-graph?service=shop&type=inuse_space&match=${encodeURIComponent('{pod="shop-a"}')}&${RANGE}`,
    );
    expect(body.sum).toBeGreaterThan(0);
  });
});

describe('a question that cannot be answered', () => {
  const q = encodeURIComponent;
  it.each([
    ['a service of another name', `flame-graph?service=Shop&${RANGE}`, 404, 'SERVICE_NOT_FOUND'],
    ['a name of the language', `flame-graph?service=__proto__&${RANGE}`, 404, 'SERVICE_NOT_FOUND'],
    ['SQL', `flame-graph?service=${q("shop'; DROP TABLE service; --")}&${RANGE}`, 404, 'SERVICE_NOT_FOUND'],
    ['NUL', `flame-graph?service=shop%00&${RANGE}`, 404, 'SERVICE_NOT_FOUND'],
    ['an unknown environment', `flame-graph?service=shop&environment=prod&${RANGE}`, 404, 'ENVIRONMENT_NOT_FOUND'],
    ['an unknown revision', `flame-graph?service=shop&revision=${q('r1%')}&${RANGE}`, 404, 'REVISION_NOT_FOUND'],
    ['an unknown process', `flame-graph?service=shop&process=p1&${RANGE}`, 404, 'PROCESS_NOT_FOUND'],
    ['a type that is none', `flame-graph?service=shop&type=constructor&${RANGE}`, 400, 'PROFILE_TYPE_ID'],
    ['a type never sent', `flame-graph?service=shop&type=wall&${RANGE}`, 404, 'PROFILE_TYPE_NOT_FOUND'],
    ['an unreadable matcher', `flame-graph?service=shop&match=${q('{plan=pro}')}&${RANGE}`, 400, 'LABEL_MATCHER'],
    ['a pattern that cannot be', `flame-graph?service=shop&match=${q('{plan=~"(?=x)"}')}&${RANGE}`, 400, 'LABEL_MATCHER'],
    ['a range without an instant', `flame-graph?service=shop&from=${T}&until=${T}`, 400, 'RANGE_EMPTY'],
    ['a range turned round', 'flame-graph?service=shop&from=now&until=now-1h', 400, 'RANGE_EMPTY'],
    ['a range of all time', `flame-graph?service=shop&from=0&until=now`, 400, 'RANGE_TOO_LONG'],
    ['a time beyond time', `flame-graph?service=shop&from=${T}&until=9999999999999999`, 400, 'TIME_INVALID'],
    ['no time at all', `flame-graph?service=shop&from=yesterday`, 400, 'REQUEST_INVALID'],
    ['no service', `flame-graph?${RANGE}`, 400, 'REQUEST_INVALID'],
    ['two services', `flame-graph?service=shop&service=random&${RANGE}`, 400, 'REQUEST_INVALID'],
    ['an object', `flame-graph?service[a]=shop&${RANGE}`, 400, 'REQUEST_INVALID'],
    ['too many nodes', `flame-graph?service=shop&maxNodes=1000000&${RANGE}`, 400, 'REQUEST_INVALID'],
    ['too small a step', `timeline?service=shop&stepMs=10000&from=${T}&until=${T + 30 * 86_400_000}`, 400, 'STEP_TOO_SMALL'],
    ['an uneven step', `timeline?service=shop&stepMs=61000&${RANGE}`, 400, 'STEP_UNEVEN'],
    ['an unknown format', `export?service=shop&format=exe&${RANGE}`, 400, 'REQUEST_INVALID'],
    ['an unknown transaction', `transactions/nothing?service=shop&${RANGE}`, 404, 'TRANSACTION_NOT_FOUND'],
    ['labels of nobody', `services/nobody/labels?${RANGE}`, 404, 'SERVICE_NOT_FOUND'],
  ])('%s', async (_, path, status, code) => {
    const answer = await server.get<Problem>(`/api/v1/${path}`);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('lets a pattern that would ruin a backtracking engine through in no time', async () => {
    const started = performance.now();
    const { status } = await server.get(
      `/api/v1/flame-graph?service=shop&match=${q('{transaction=~"(([A-Z]+)+ ?)+\\\\d"}')}&${RANGE}`,
    );
    expect(status).toBe(200);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('has labels named like things of the language', async () => {
    for (const name of ['__proto__', 'constructor', "'; --"]) {
      const { body } = await server.get<LabelValuesAnswer>(`/api/v1/services/shop/labels/${q(name)}/values?${RANGE}`);
      expect(body).toEqual({ name, values: [] });
      const timeline = await server.get<TimelineAnswer>(`/api/v1/timeline?service=shop&groupBy=${q(name)}&${RANGE}`);
      expect(timeline.body.series.map((series) => series.key)).toEqual(['']);
    }
  });
});

describe('a client that leaves', () => {
  it('gives its turn to the next', async () => {
    const gate = server.app.get(QueryGate, { strict: false });
    const leaving = Array.from({ length: 30 }, () => {
      const client = new AbortController();
      const answer = server
        .get(`/api/v1/flame-graph?service=random&from=${T}&until=${T + 4 * MINUTE}`, client.signal)
        .catch((error: Error) => error.name);
      setTimeout(() => client.abort(), 5);
      return answer;
    });
    await Promise.all(leaving);
    expect((await server.get(`/api/v1/flame-graph?service=random&from=${T}&until=${T + 4 * MINUTE}`)).status).toBe(200);
    expect(await gate.run(new AbortController().signal, async () => 'free')).toBe('free');
  });
});
