import { parseProfileTypeId, PROFILE_TYPE_IDS } from '@hearth/profile-model';
import { profileFromText } from '@hearth/profile-model/testing';
import type { ComparisonAnswer, FlameGraphAnswer, Problem, TimelineAnswer } from '@hearth/query-contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { InterruptedResolver } from '../../../../../test/support/interrupted-resolver.js';
import { sealWindows } from '../../../../../test/support/seal-windows.js';
import { until } from '../../../../../test/support/until.js';
import { LEVELS } from '../profile-store/index.js';
import { Cover } from '../rollup/index.js';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import { MinifiedCode } from '../source-maps/index.js';
import { ProfileQueries } from './profile-queries.js';

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
/** An hour in the middle of a day that late profiles are still accepted for. */
const H = Math.floor(Date.now() / DAY) * DAY - 5 * DAY + 12 * HOUR;
const CUT = `from=${H + 5 * MINUTE}&until=${H + 50 * MINUTE}`;
const profile = profileFromText(`
  4000x4                 1000x1
  {transaction=GET /}    {}
  main                   main
  read                   wait
`);
const HEAP_BYTES = 1_000_000_000;
const heap = profileFromText(
  `
  ${HEAP_BYTES}
  cache
`,
  { type: parseProfileTypeId(PROFILE_TYPE_IDS.inuse_space) },
);

let postgres: TestPostgres;
let server: QueryServer;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await QueryServer.start(await postgres.createDatabase(), 'all');
  for (const revision of ['r1', 'r2'])
    for (const process of ['a', 'b'])
      for (let flush = 0; flush < 10; flush += 1)
        await server.store({
          revision,
          process: `${revision}${process}`,
          startMs: H + flush * 6 * MINUTE + 1000,
          profiles: [profile],
          transactions: [{ labels: { transaction: 'GET /' }, durationsMicros: [1000] }],
        });
  for (const startMs of [H - 2 * HOUR, H + 1000]) await server.store({ process: `heap${startMs}`, startMs, profiles: [heap] });
  await sealWindows(server, LEVELS.hour);
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});

describe('a range whose minutes have expired', () => {
  it('grows to whole hours, and its answer says so', async () => {
    const { body } = await server.get<FlameGraphAnswer>(`/api/v1/flame-graph?service=shop&${CUT}`);
    expect(body.selection).toMatchObject({ fromMs: H, untilMs: H + HOUR });
    expect([body.sum, body.samples]).toEqual([40 * 5000, 40 * 5]);
  });

  it('is cut into hours by a timeline, whatever step was asked for', async () => {
    const path = `/api/v1/timeline?service=shop&groupBy=revision&stepMs=60000&${CUT}`;
    const { body } = await server.get<TimelineAnswer>(path);
    expect(body).toMatchObject({ stepMs: HOUR, startsMs: [H] });
    expect(Object.fromEntries(body.series.map(({ key, values }) => [key, values]))).toEqual({ r1: [100_000], r2: [100_000] });
  });

  it('is compared process by process, by the hour', async () => {
    const side = (revision: string) => ({
      service: 'shop',
      revision,
      from: String(H + 5 * MINUTE),
      until: String(H + 50 * MINUTE),
    });
    const asked = await server.post<ComparisonAnswer>('/api/v1/comparisons', { baseline: side('r1'), candidate: side('r2') });
    const done = await until(async () => {
      const { body } = await server.get<ComparisonAnswer>(`/api/v1/comparisons/${asked.body.id}`);
      return body.status === 'done' || body.status === 'failed' ? body : undefined;
    });
    expect(done.status).toBe('done');
  });

  it('is shown as it was answered, when it grew after it was resolved', async () => {
    const queries = new ProfileQueries(
      new InterruptedResolver(server, () => sealWindows(server, LEVELS.day)),
      server.app.get(Cover, { strict: false }),
      server.app.get(WorkerPool),
      server.app.get(MinifiedCode, { strict: false }),
    );
    const day = Math.floor(H / DAY) * DAY;
    const asked = { service: 'shop', type: 'inuse_space', maxNodes: 100, from: String(H), until: String(H + HOUR) };
    const { selection, sum } = await queries.flameGraph(1, asked, new AbortController().signal);
    expect(selection).toMatchObject({ fromMs: day, untilMs: day + DAY });
    // Two times 10 s, over the time that some process lived: 54 minutes and 10 s in the hour, and 10 s before it.
    expect(sum).toBe(Math.round((2 * HEAP_BYTES * 10_000) / (54 * MINUTE + 20_000)));
  });

  it('grows to days, and does not tell processes apart once their release is forgotten', async () => {
    await sealWindows(server, LEVELS.day);
    const day = Math.floor(H / DAY) * DAY;
    const of = (revision: string) => server.get<FlameGraphAnswer>(`/api/v1/flame-graph?service=shop&revision=${revision}&${CUT}`);
    expect((await of('r1')).body).toMatchObject({ sum: 100_000, selection: { fromMs: day, untilMs: day + DAY } });
    const byProcess = `/api/v1/timeline?service=shop&groupBy=process&${CUT}`;
    expect((await server.get<TimelineAnswer>(byProcess)).body.series).toHaveLength(4);
    await server.app.get(DataSource).query('DELETE FROM release_totals');
    const refused = await server.get<Problem>(byProcess);
    expect([refused.status, refused.body.code]).toEqual([410, 'PROCESS_DETAIL_EXPIRED']);
    expect((await of('r2')).body.sum).toBe(100_000);
  });
});
