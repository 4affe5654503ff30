import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labelSet } from '@hearth/profile-model';
import type { LinesAnswer, RetentionEstimateAnswer } from '@hearth/query-contract';
import { DataSource } from 'typeorm';
import { deleteAtOnce } from '../../../../../test/support/delete-at-once.js';
import { lineBatch } from '../../../../../test/support/line-batch.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { sendBatch } from '../../../../../test/support/send-batch.js';
import { Ticks } from '../../platform/queue/index.js';
import { RetentionExpiry } from './retention-expiry.js';

const DAY_MS = 86_400_000;
const START = Math.floor(Date.now() / 60_000) * 60_000 - 600_000;

let postgres: TestPostgres;
let server: QueryServer;
const of = <Kind>(kind: new (...parameters: never[]) => Kind): Kind => server.app.get(kind, { strict: false });
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(async () => {
  await postgres?.stop();
});

interface Sent {
  readonly minute: number;
  readonly revision?: string;
  /** Of its two samples, of 600 and 400 microseconds. */
  readonly plans?: readonly [string, string];
  readonly pod?: string;
}
/** A server that forgets and deletes only when told to, with a batch of 1,000 microseconds on line 7 of a.ts for each of `sent`. */
async function withRecorded(sent: readonly Sent[], work: () => Promise<void>): Promise<void> {
  server = await QueryServer.start(await postgres.createDatabase(), 'all');
  try {
    await of(Ticks).beforeApplicationShutdown();
    for (const [at, { minute, revision = 'r1', plans = ['free', 'pro'], pod = 'a' }] of sent.entries()) {
      const batch = lineBatch(
        { processId: pod.padEnd(32, '0'), sequence: at + 1, startMs: START + minute * 60_000 },
        [
          `${'600'.padEnd(20)}400`,
          `${`{plan=${plans[0]}}`.padEnd(20)}{plan=${plans[1]}}`,
          `${'main#7@a.ts'.padEnd(20)}main#7@a.ts`,
        ].join('\n'),
      );
      const process = { ...batch.process, revision, labels: labelSet({ pod }) };
      expect((await sendBatch(server.address, { ...batch, process })).status).toBe(202);
    }
    await work();
  } finally {
    await server.stop();
  }
}

/** Microseconds on line 7; 0 if none are known. */
async function selfOf(revision = 'r1', more = ''): Promise<number> {
  const query = `service=made&file=a.ts&revision=${revision}&from=${START}&until=${START + 600_000}${more}`;
  const { status, body } = await server.get<LinesAnswer>(`/api/v1/lines?${query}`);
  return status === 404 ? 0 : body.lines.reduce((sum, { self }) => sum + self, 0);
}
const deleteData = (query: string) => deleteAtOnce(server, `/api/v1/services/made${query}`);
const recordings = async (): Promise<number> =>
  ((await of(DataSource).query('SELECT count(*) AS n FROM line_recording')) as { n: number }[])[0]!.n;

describe('lines that were recorded', () => {
  it('go with their range of time', async () => {
    await withRecorded([{ minute: 0 }, { minute: 1 }, { minute: 2 }], async () => {
      const done = await deleteData(`/data?from=${START + 60_000}&until=${START + 120_000}`);
      expect(done).toMatchObject({ status: 'done' });
      expect(done.steps.done).toBe(done.steps.total);
      expect(await selfOf()).toBe(2_000);
    });
  });

  it('go with a label of any of their samples, and with one of their process', async () => {
    await withRecorded([{ minute: 0 }, { minute: 1, plans: ['pro', 'secret'] }, { minute: 2, pod: 'b' }], async () => {
      expect(await deleteData('/data?label=plan&value=secret')).toMatchObject({ status: 'done' });
      expect(await selfOf()).toBe(2_000);
      const done = await deleteData('/data?label=pod&value=b');
      expect(done).toMatchObject({ status: 'done' });
      expect(done.steps.done).toBe(done.steps.total);
      expect(await selfOf()).toBe(1_000);
      expect(await recordings()).toBe(1);
    });
  });

  it('go with their service', async () => {
    await withRecorded([{ minute: 0 }, { minute: 1 }], async () => {
      expect(await deleteData('')).toMatchObject({ status: 'done' });
      expect(await recordings()).toBe(0);
    });
  });

  it('live as long as days do, of pinned revisions too', async () => {
    await withRecorded([{ minute: 0 }, { minute: 1, revision: 'pinned' }], async () => {
      await server.put('/api/v1/retention', { minutes: 1, hours: 1, days: 2 });
      expect((await server.put('/api/v1/services/made/revisions/pinned/pin', undefined)).status).toBe(200);
      const { body } = await server.post<RetentionEstimateAnswer>('/api/v1/retention/estimate', {
        minutes: 1,
        hours: 1,
        days: 2,
      });
      expect(body.tiers.find(({ tier }) => tier === 'days')!.stays.rows).toBe(2);
      await of(RetentionExpiry).expire(START + 2 * DAY_MS);
      expect([await selfOf(), await selfOf('pinned')]).toEqual([1_000, 1_000]);
      await of(RetentionExpiry).expire(START + 4 * DAY_MS);
      expect(await recordings()).toBe(0);
    });
  });
});
