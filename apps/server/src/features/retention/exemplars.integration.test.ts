import { labelSet } from '@hearth/profile-model';
import type { Problem, RetentionEstimateAnswer } from '@hearth/query-contract';
import type { Exemplar } from '@hearth/wire-format';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteAtOnce } from '../../../../../test/support/delete-at-once.js';
import { exemplarBatch, madeExemplar } from '../../../../../test/support/exemplar-batch.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { sendBatch } from '../../../../../test/support/send-batch.js';
import { Ticks } from '../../platform/queue/index.js';
import { RetentionExpiry } from './retention-expiry.js';

const [MINUTE_MS, DAY_MS] = [60_000, 86_400_000];
const START = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 600_000;

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
  readonly plan?: string;
  readonly pod?: string;
  readonly revision?: string;
  /** Its duration tells it from the others. */
  readonly exemplar: Partial<Exemplar>;
}
/** A server that forgets and deletes only when told to, with an exemplar for each of `sent`. */
async function withExemplars(sent: readonly Sent[], work: () => Promise<void>): Promise<void> {
  server = await QueryServer.start(await postgres.createDatabase(), 'all');
  try {
    await of(Ticks).beforeApplicationShutdown();
    for (const [at, { minute, plan = 'pro', pod = 'a', revision = 'r1', exemplar }] of sent.entries()) {
      const made = { processId: pod.padEnd(32, '0'), sequence: at + 1, startMs: START + minute * MINUTE_MS };
      const batch = exemplarBatch(made, madeExemplar({ context: [], ...exemplar }));
      const process = { ...batch.process, revision, labels: labelSet({ pod }) };
      const labelSets = [labelSet({ transaction: 'job', plan })];
      expect((await sendBatch(server.address, { ...batch, process, labelSets })).status).toBe(202);
    }
    await work();
  } finally {
    await server.stop();
  }
}
/** Their durations. */
async function kept(): Promise<number[]> {
  const rows = (await of(DataSource).query('SELECT duration_us AS us FROM exemplar ORDER BY 1')) as { us: number }[];
  return rows.map(({ us }) => us);
}
async function deleteData(query: string): Promise<void> {
  const done = await deleteAtOnce(server, `/api/v1/services/made${query}`);
  expect(done).toMatchObject({ status: 'done', error: null });
  expect(done.steps.done).toBe(done.steps.total);
}

describe('exemplars', () => {
  it('go with the range of time that they ran in', async () => {
    const sent = [
      { minute: 0, exemplar: { durationMicros: 1 } },
      { minute: 1, exemplar: { durationMicros: 2 } },
      { minute: 2, exemplar: { durationMicros: 3 } },
      { minute: 3, exemplar: { durationMicros: 4, startMs: START + MINUTE_MS } },
    ];
    await withExemplars(sent, async () => {
      await deleteData(`/data?from=${START + MINUTE_MS}&until=${START + 2 * MINUTE_MS}`);
      expect(await kept()).toEqual([1, 3]);
    });
  });

  it('go with a label, also one that only they know', async () => {
    const user = labelSet({ user: 'ada' });
    const { spans } = madeExemplar();
    const sent = [
      { minute: 0, plan: 'secret', exemplar: { durationMicros: 1 } },
      { minute: 0, pod: 'b', exemplar: { durationMicros: 2 } },
      { minute: 1, exemplar: { durationMicros: 3, context: user } },
      { minute: 1, exemplar: { durationMicros: 4, spans: { ...spans, inputs: [[], user] } } },
      { minute: 1, exemplar: { durationMicros: 5 } },
    ];
    await withExemplars(sent, async () => {
      await deleteData('/data?label=plan&value=secret');
      expect(await kept()).toEqual([2, 3, 4, 5]);
      await deleteData('/data?label=pod&value=b');
      expect(await kept()).toEqual([3, 4, 5]);
      await deleteData('/data?label=user&value=ada');
      expect(await kept()).toEqual([5]);
      const again = await server.delete<Problem>('/api/v1/services/made/data?label=user&value=ada');
      expect([again.status, again.body.code]).toEqual([404, 'LABEL_VALUE_NOT_FOUND']);
    });
  });

  it('go with their service', async () => {
    await withExemplars([{ minute: 0, exemplar: {} }], async () => {
      await deleteData('');
      expect(await kept()).toEqual([]);
    });
  });

  it('live as long as transactions do, of pinned revisions too', async () => {
    const sent = [
      { minute: 0, exemplar: { durationMicros: 1 } },
      { minute: 1, revision: 'pinned', exemplar: { durationMicros: 2 } },
    ];
    await withExemplars(sent, async () => {
      const days = { minutes: 1, hours: 1, days: 9, transactions: 2 };
      expect((await server.put('/api/v1/services/made/revisions/pinned/pin', undefined)).status).toBe(200);
      const rows = async () => {
        const { body } = await server.post<RetentionEstimateAnswer>('/api/v1/retention/estimate', days);
        return body.tiers.find(({ tier }) => tier === 'transactions')!.stays.rows;
      };
      const before = await rows();
      await of(DataSource).query('DELETE FROM exemplar WHERE duration_us = 1');
      expect(await rows()).toBe(before - 1);
      await server.put('/api/v1/retention', days);
      await of(RetentionExpiry).expire(START + 2 * DAY_MS);
      expect(await kept()).toEqual([2]);
      await of(RetentionExpiry).expire(START + 4 * DAY_MS);
      expect(await kept()).toEqual([]);
    });
  });
});
