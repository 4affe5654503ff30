import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildAll, sealAll, startRollupServer } from '../../../../../test/support/rollup-server.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { encodeBlock } from '../profile-store/block-codec.js';
import { buildSegment } from '../profile-store/build-segment.js';
import { NO_STACK } from '../profile-store/index.js';
import { connectDataSource, runMigrations } from '../../platform/database/index.js';
import { Levels1763600000003 } from '../../migrations/1763600000003-levels.js';
import { MIGRATIONS } from '../../migrations/index.js';

const HOUR_MS = 3_600_000;
/** Ten minutes before a day ends: what is stored lies in two days. */
const START = 20_400 * 24 * HOUR_MS - 600_000;

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

const block = (value: number) =>
  encodeBlock(
    { stackId: Int32Array.of(NO_STACK), labelSetId: Uint32Array.of(1), value: Float64Array.of(value), count: Float64Array.of(1) },
    1,
  );

it('carries over what the schema without levels held: built minutes, and blocks that wait', async () => {
  const url = await postgres.createDatabase();
  const before = MIGRATIONS.slice(0, MIGRATIONS.indexOf(Levels1763600000003));
  expect(before.length).toBeGreaterThan(1);
  await runMigrations(url, before);
  const old = await connectDataSource({ url });
  let sum = 0;
  for (let minute = 0; minute < 20; minute += 1) {
    const startMs = START + minute * 60_000;
    const isBuilt = minute % 3 > 0;
    const waits = minute % 2 === 0;
    if (!isBuilt && !waits) continue;
    await old.query('INSERT INTO profile_window VALUES (1, 1, $1, 1, 1, $2, $3)', [
      startMs,
      Number(isBuilt) + Number(waits),
      Number(isBuilt),
    ]);
    const at = { processId: 1, durationMs: 10_000 };
    if (isBuilt) {
      const { totals, detail } = buildSegment({
        want: 'minute',
        windowStartMs: startMs,
        detail: undefined,
        blocks: [{ ...at, startMs, data: block(1000 + minute) }],
      });
      await old.query('INSERT INTO segment VALUES (1, 1, $1, 1, 1, $2, $3)', [startMs, Buffer.from(totals), Buffer.from(detail)]);
      sum += 1000 + minute;
    }
    if (waits) {
      const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
      await old.query(
        `CREATE TABLE IF NOT EXISTS block_h${hour / HOUR_MS} PARTITION OF block FOR VALUES FROM (${hour}) TO (${hour + HOUR_MS})`,
      );
      await old.query('INSERT INTO block VALUES ($1, 1, 1, $2, 1, 1, $3, 1, $4, 10000, $5)', [
        hour,
        startMs,
        Number(isBuilt) + 1,
        startMs + 20_000,
        Buffer.from(block(7)),
      ]);
      sum += 7;
    }
  }
  await old.destroy();
  await runMigrations(url, MIGRATIONS);

  const server = await startRollupServer(url);
  try {
    const merged = () => server.cover.merged({ serviceId: 1, profileTypeId: 1, fromMs: START, untilMs: START + 1_200_000 });
    expect(await merged()).toMatchObject({ sum, rootSelf: sum });
    await buildAll(server);
    expect(await merged()).toMatchObject({ sum });
    expect(await server.dataSource.query('SELECT count(*) AS hours FROM hour_segment')).toEqual([{ hours: 2 }]);
    await sealAll(server);
    expect(await merged()).toMatchObject({ sum });
    expect(await server.dataSource.query('SELECT count(*) AS minutes FROM segment')).toEqual([{ minutes: 0 }]);
  } finally {
    await server.close();
  }
});
