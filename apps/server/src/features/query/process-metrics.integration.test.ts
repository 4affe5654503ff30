import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Problem, ProcessMetricsAnswer } from '@hearth/query-contract';
import { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { MAX_PERIODS } from './process-metric-queries.js';

/** The start of a minute, some minutes ago. */
const START = Math.floor(Date.now() / 60_000) * 60_000 - 900_000;
const RANGE = `from=${START}&until=${START + 300_000}`;

let postgres: TestPostgres;
let server: QueryServer;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await QueryServer.start(await postgres.createDatabase());
  for (const [process, rss, cpu] of [
    ['a', 100, 5_000_000],
    ['b', 300, 1_000_000],
  ] as const)
    for (const at of [0, 10_000, 60_000, 70_000])
      await server.store({
        process,
        processLabels: { pod: process },
        revision: process === 'a' ? 'r1' : 'r2',
        startMs: START + at,
        series: { rss_bytes: rss + at / 1_000, cpu_user_micros: cpu, odd: 1, ...(at === 60_000 && { gc_major_count: 2 }) },
      });
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});

const ask = async <Answer = ProcessMetricsAnswer>(query = '', range = RANGE) =>
  server.get<Answer>(`/api/v1/process-metrics?service=shop&${range}&stepMs=60000${query}`);
const seriesOf = ({ series }: ProcessMetricsAnswer, wanted: string) => series.find(({ name }) => name === wanted)!;

describe('GET /process-metrics', () => {
  it('answers mean and maximum of each step, sums per second, and null where nothing was measured', async () => {
    const { status, body } = await ask();
    expect(status).toBe(200);
    expect(body.startsMs).toEqual([0, 1, 2, 3, 4].map((step) => START + step * 60_000));
    expect(body.processes).toEqual([2, 2, 0, 0, 0]);
    expect(body.selection).toEqual({ service: 'shop', fromMs: START, untilMs: START + 300_000 });
    expect(body.series.map(({ name, unit, perSecond }) => `${name} ${unit} ${perSecond}`)).toEqual([
      'cpu_user_micros microseconds true',
      'gc_major_count count true',
      'odd  false',
      'rss_bytes bytes false',
    ]);
    expect(seriesOf(body, 'rss_bytes')).toMatchObject({ mean: [205, 265, null, null, null], max: [310, 370, null, null, null] });
    // Of one process on average: (5 s + 1 s) / 2 in ten.
    expect(seriesOf(body, 'cpu_user_micros')).toMatchObject({ mean: [300_000, 300_000, null, null, null] });
    expect(seriesOf(body, 'cpu_user_micros').max[0]).toBe(500_000);
    // Two of each process in twenty seconds, of which only ten had any.
    expect(seriesOf(body, 'gc_major_count')).toMatchObject({ mean: [null, 0.1, null, null, null] });
  });

  it('calls no period dear because it was short', async () => {
    for (const [at, durationMs, cpu] of [
      [0, 10_000, 100_000],
      [10_000, 9, 8_000],
    ] as const)
      await server.store({ service: 'cut', startMs: START + at, durationMs, series: { cpu_user_micros: cpu } });
    const { body } = await server.get<ProcessMetricsAnswer>(`/api/v1/process-metrics?service=cut&${RANGE}&stepMs=60000`);
    expect(seriesOf(body, 'cpu_user_micros').max[0]).toBe(10_000);
    expect(seriesOf(body, 'cpu_user_micros').mean[0]).toBeCloseTo(108_000 / 10.009);
  });

  it('is about the processes, revision, environment and pod that are asked for', async () => {
    const rss = async (query: string) => seriesOf((await ask(query)).body, 'rss_bytes')?.mean[0];
    expect(await rss('&revision=r1')).toBe(105);
    expect(await rss('&environment=production')).toBe(205);
    expect(await rss(`&match=${encodeURIComponent('{pod="b"}')}`)).toBe(305);
    expect((await ask('', `from=${START + 10_000}&until=${START + 20_000}`)).body.processes).toEqual([2]);
    expect((await ask('', `from=${START + 200_000}&until=${START + 260_000}`)).body.series).toEqual([]);
  });

  it('refuses what it cannot answer', async () => {
    expect((await ask<Problem>('&transaction=GET%20/')).body).toMatchObject({
      code: 'PROCESS_METRICS_HAVE_NO_LABELS',
      status: 400,
    });
    expect((await server.get<Problem>(`/api/v1/process-metrics?service=shop&${RANGE}&stepMs=15000`)).body.code).toBe(
      'STEP_UNEVEN',
    );
    expect((await server.get<Problem>(`/api/v1/process-metrics?service=nothing&${RANGE}`)).body.code).toBe('SERVICE_NOT_FOUND');
    expect((await fetch(`${server.address.url}/api/v1/process-metrics?service=shop`)).status).toBe(401);
  });

  it('reads no more periods than it can', async () => {
    const database = server.app.get(DataSource, { strict: false });
    const add = async (count: number, from: number) =>
      database.query(
        `INSERT INTO process_series SELECT service_id, $1, n, revision_id, environment_id, duration_ms, name_id, value
         FROM (SELECT * FROM process_series LIMIT 1) AS one, generate_series($2::int, $3::int) AS n`,
        [START + 120_000, from, from + count - 1],
      );
    const range = `from=${START + 120_000}&until=${START + 180_000}`;
    await add(MAX_PERIODS, 1_000);
    const { body } = await ask('', range);
    expect([body.processes, seriesOf(body, 'rss_bytes').mean[0]]).toEqual([[MAX_PERIODS], expect.any(Number)]);
    await add(1, 500);
    expect((await ask<Problem>('', range)).body).toMatchObject({ code: 'PROCESS_METRICS_TOO_MANY', status: 400 });
  });
});
