import { labelSet, PROFILE_TYPE_IDS } from '@hearth/profile-model';
import type { ExemplarAnswer, LimitsAnswer, Problem, TransactionDetailAnswer } from '@hearth/query-contract';
import type { Batch } from '@hearth/wire-format';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exemplarBatch, madeExemplar } from '../../../../../test/support/exemplar-batch.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { sendBatch } from '../../../../../test/support/send-batch.js';
import { until } from '../../../../../test/support/until.js';

const DAY = 86_400_000;
const START = Math.floor(Date.now() / 60_000) * 60_000 - 600_000;
const RANGE = `from=${START}&until=${START + 600_000}`;

let postgres: TestPostgres;
let server: QueryServer;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await QueryServer.start(await postgres.createDatabase());
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});

let process = 0;
/** Each test is a service of its own. */
const named = (service: string, batch: Batch): Batch => ({ ...batch, process: { ...batch.process, service } });
const made = (sequence = 1) => ({ processId: String((process += 1)).padStart(32, '0'), sequence, startMs: START });
async function send(batch: Batch): Promise<void> {
  expect(await sendBatch(server.address, batch)).toMatchObject({ status: 202, body: { accepted: 1 } });
}
async function listed(service: string, more = '', name = 'job'): Promise<TransactionDetailAnswer['exemplars']> {
  const path = `/api/v1/transactions/${encodeURIComponent(name)}?service=${service}&${RANGE}${more}`;
  const { status, body } = await server.get<TransactionDetailAnswer>(path);
  expect(status).toBe(200);
  return body.exemplars;
}
/** As the golden replies of `query.integration.test.ts`, by which docs/api.md is checked; with the id and the time of one that stays. */
const golden = async (name: string, reply: object) => {
  const columns = JSON.stringify(reply, null, 2).replaceAll(/\[[^[\]{}]*\]/g, (column) => column.replaceAll(/\s*\n\s*/g, ' '));
  const text = columns.replace(/"id": ".*"/g, '"id": "1-29919600-00000000-0000-4000-8000-000000000000"');
  const fixed = text.replaceAll(String(START), '1795176000000').replaceAll(String(START + 1_234), '1795176001234');
  await expect(`${fixed.replace(/"process": ".*"/g, `"process": "${'0'.repeat(32)}"`)}\n`).toMatchFileSnapshot(
    `./golden/${name}.json`,
  );
};
const idOf = async (service: string) => (await listed(service))[0]!.id;
const one = async (id: string) => server.get<ExemplarAnswer & Problem>(`/api/v1/transactions/exemplars/${id}`);

describe('GET /transactions/:name', () => {
  it('lists the slowest runs, the slowest first, with the beginning of their context', async () => {
    const context = labelSet(Array.from({ length: 9 }, (_, at): [string, string] => [`label ${at}`, 'x'.repeat(100)]));
    const fast = madeExemplar({ durationMicros: 20_000, context, outcome: 'timeout', startMs: START + 5_000, sampleCount: 9 });
    await send(named('listed', exemplarBatch(made(), fast, madeExemplar())));
    const answer = await listed('listed');
    expect(answer).toMatchObject([
      {
        startMs: START,
        durationMicros: 50_000,
        outcome: 'ok',
        environment: 'test',
        revision: 'made-1',
        process: String(process).padStart(32, '0'),
        cpuMicros: 19_000,
        awaitedMicros: 19_900,
        sampleCount: 2,
        keptSampleCount: 2,
        waitCount: 1,
        spanCount: 2,
        context: [
          ['order', '4711'],
          ['transaction', 'job'],
        ],
        contextCount: 2,
      },
      { startMs: START + 5_000, durationMicros: 20_000, outcome: 'timeout', sampleCount: 9, keptSampleCount: 2, contextCount: 9 },
    ]);
    await golden('exemplars', answer.slice(0, 1));
    expect(answer[1]!.context.length).toBe(6);
    expect(answer[1]!.context[0]).toEqual(['label 0', `${'x'.repeat(80)}…`]);
    expect(await listed('listed', `&match=${encodeURIComponent('{plan="pro"}')}`)).toHaveLength(2);
  });

  it('lists those of the selection only', async () => {
    const [pro, free] = [exemplarBatch(made(), madeExemplar()), exemplarBatch(made(), madeExemplar({ durationMicros: 1 }))];
    await send(named('selected', pro));
    await send(named('selected', { ...free, labelSets: [labelSet({ transaction: 'job', plan: 'free' })] }));
    const durations = async (more: string) => (await listed('selected', more)).map((exemplar) => exemplar.durationMicros);
    expect(await durations('')).toEqual([50_000, 1]);
    expect(await durations(`&match=${encodeURIComponent('{plan="free"}')}`)).toEqual([1]);
    expect(await durations(`&process=${pro.process.id}`)).toEqual([50_000]);
  });

  it('has none for who sent none, and counts nothing by them', async () => {
    const [without, withOne] = [exemplarBatch(made()), exemplarBatch(made(), madeExemplar())];
    await send(named('without', without));
    await send(named('with', withOne));
    expect(await listed('without')).toEqual([]);
    const figures = async (service: string) => {
      const { body } = await server.get<TransactionDetailAnswer>(`/api/v1/transactions/job?service=${service}&${RANGE}`);
      const flame = await server.get<object>(`/api/v1/flame-graph?service=${service}&${RANGE}`);
      return [body.transaction, body.byLabel, { ...flame.body, selection: undefined }];
    };
    expect(await figures('with')).toEqual(await figures('without'));
  });
});

describe('GET /transactions/exemplars/:id', () => {
  it('gives one as it was sent, its functions named as in every other answer', async () => {
    await send(named('whole', exemplarBatch(made(), madeExemplar({ startMs: START + 1_234 }))));
    const id = await idOf('whole');
    const { status, body } = await one(id);
    expect(status).toBe(200);
    expect([body.id, body.startMs]).toEqual([id, START + 1_234]);
    await golden('exemplar', body);
  });

  it('holds only what it needs of its batch, and each function once whatever its line', async () => {
    const batch = exemplarBatch(made(), madeExemplar({ waits: { ...madeExemplar().waits, stack: Int32Array.of(3) } }));
    const [name, file] = ['work', '/srv/made/node_modules/queue/index.js'];
    await send(
      named('small', {
        ...batch,
        functions: {
          length: 4,
          name: ['main', name, 'elsewhere', name],
          scriptName: ['/srv/made/main.js', file, '/srv/made/main.js', file],
          line: Uint32Array.of(1, 2, 3, 4),
        },
        stacks: { length: 4, parent: Int32Array.of(-1, 0, 0, 0), functionRow: Uint32Array.of(0, 1, 2, 3) },
      }),
    );
    const id = await idOf('small');
    const { functions, stacks, samples, waits } = (await one(id)).body;
    expect(functions.name).toEqual(['main', 'work']);
    expect(stacks.parent).toEqual([-1, 0]);
    expect([samples.stack, waits.stack]).toEqual([[1, 1], [1]]);
  });

  it('is stored once, however often its batch comes, and with all of the batch or not at all', async () => {
    const batch = named('once', exemplarBatch(made(), madeExemplar()));
    const answers = await Promise.all(Array.from({ length: 6 }, () => sendBatch(server.address, batch)));
    expect(answers.reduce((sum, { body }) => sum + (body.accepted ?? 0), 0)).toBe(1);
    expect(answers.reduce((sum, { body }) => sum + (body.duplicates ?? 0), 0)).toBe(5);
    expect(await listed('once')).toHaveLength(1);
  });

  it('moves with a batch whose clock is wrong, and ends with it whatever it says itself', async () => {
    const ahead = 3_600_000;
    const sender = made();
    const wrong = { ...sender, startMs: Date.now() + ahead };
    const [known, wild] = [
      madeExemplar({ startMs: wrong.startMs + 2_000 }),
      madeExemplar({ startMs: 2 ** 53 - 1, durationMicros: 7 }),
    ];
    await send(named('clock', exemplarBatch(wrong, known, wild)));
    const path = `/api/v1/transactions/job?service=clock&from=now-10m&until=now`;
    const { body } = await server.get<TransactionDetailAnswer>(path);
    for (const { startMs } of body.exemplars) expect(Math.abs(startMs - Date.now())).toBeLessThan(30_000);
    expect(body.exemplars).toHaveLength(2);
  });

  it('goes by the name that is counted, where names are too many', async () => {
    await server.put('/api/v1/limits', { transactionNamesPerService: 1 });
    try {
      await until(async () => {
        const { body } = await server.get<LimitsAnswer>('/api/v1/limits');
        return body.quota.transactionNamesPerService === 1 || undefined;
      });
      const names = (name: string) => ({ labelSets: [labelSet({ transaction: name })] });
      await send(named('folding', { ...exemplarBatch(made(), madeExemplar()), ...names('first') }));
      await send(named('folding', { ...exemplarBatch(made(), madeExemplar()), ...names('second') }));
      const [folded] = await listed('folding', '', '__other__');
      const { body } = await one(folded!.id);
      expect([body.transaction, body.context]).toEqual(['__other__', madeExemplar().context]);
      expect(await listed('folding', '', 'first')).toHaveLength(1);
    } finally {
      await server.put('/api/v1/limits', { transactionNamesPerService: null });
    }
  });

  it('is not kept where it is too large, and that is told', async () => {
    const inputs = labelSet(Array.from({ length: 60 }, (_, at): [string, string] => [`input ${at}`, 'x'.repeat(1_000)]));
    const spans = { ...madeExemplar().spans };
    const many = {
      name: Array.from({ length: 50 }, () => 'step'),
      parent: new Int32Array(50).fill(-1),
      startMicros: new Float64Array(50),
      durationMicros: new Float64Array(50),
      outcome: Array.from({ length: 50 }, () => 'ok' as const),
      inputs: Array.from({ length: 50 }, () => inputs),
    };
    await send(named('large', exemplarBatch(made(), madeExemplar({ spans: many }), madeExemplar({ spans }))));
    expect(await listed('large')).toHaveLength(1);
    await until(async () => {
      const { body } = await server.get<LimitsAnswer>('/api/v1/limits');
      const hit = body.hits.find(({ service, code }) => service === 'large' && code === 'EXEMPLARS_TOO_LARGE');
      return hit === undefined ? undefined : (expect(hit).toMatchObject({ outcome: 'dropped', count: 1 }), true);
    });
  });

  it('says what became of one that is not there', async () => {
    await send(named('gone', exemplarBatch(made(), madeExemplar())));
    const id = await idOf('gone');
    const [serviceId, minute, uuid] = [id.split('-')[0]!, Number(id.split('-')[1]), id.split('-').slice(2).join('-')];
    const code = async (asked: string) => {
      const { status, body } = await one(asked);
      return [status, body.code];
    };
    const unknown = [404, 'EXEMPLAR_NOT_FOUND'];
    for (const wrong of [
      '1',
      'x',
      `${id}0`,
      `${serviceId}-${minute}`,
      `999-${minute}-${uuid}`,
      `${'9'.repeat(16)}-1-${uuid}`,
      '%00',
    ])
      expect(await code(wrong), wrong).toEqual(unknown);
    expect(await code(`${serviceId}-${minute}-${uuid.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))}`)).toEqual(unknown);
    expect(await code(`${serviceId}-${minute - (2 * DAY) / 60_000}-${uuid}`)).toEqual([410, 'EXEMPLAR_EXPIRED']);
    await server.app.get(DataSource).query(`UPDATE exemplar SET body = '\\x0200' WHERE id = $1`, [uuid]);
    expect(await code(id)).toEqual([500, 'EXEMPLAR_DAMAGED']);
  });

  it('is nobody else’s', async () => {
    await send(named('private', exemplarBatch(made(), madeExemplar())));
    const id = await idOf('private');
    const path = `${server.address.url}/api/v1/transactions/exemplars/${id}`;
    expect((await fetch(path)).status).toBe(401);
    const ingest = await server.post<{ key: string }>('/api/v1/api-keys', { name: 'agents', kind: 'ingest' });
    expect((await fetch(path, { headers: { authorization: `Bearer ${ingest.body.key}` } })).status).toBe(403);
    const project = await server.post<{ id: string }>('/api/v1/projects', { name: 'theirs' });
    const credentials = JSON.stringify({ email: 'admin@localhost', password: 'password-of-the-tests' });
    const headers = { 'content-type': 'application/json' };
    const signedIn = await fetch(`${server.address.url}/api/v1/sessions`, { method: 'POST', body: credentials, headers });
    const cookie = signedIn.headers.get('set-cookie')!.split(';')[0]!;
    const asProject = async (ofProject: string) => {
      const answer = await fetch(`${path}?project=${ofProject}`, { headers: { cookie } });
      return [answer.status, ((await answer.json()) as Partial<Problem>).code];
    };
    expect(await asProject('1')).toEqual([200, undefined]);
    expect(await asProject(project.body.id)).toEqual([404, 'EXEMPLAR_NOT_FOUND']);
  });

  it('has the names of a wait’s call sites and of earlier samples without a profile that names them', async () => {
    const batch = exemplarBatch(made(), madeExemplar());
    await send(named('alone', { ...batch, profiles: batch.profiles.filter(({ typeId }) => typeId !== PROFILE_TYPE_IDS.cpu) }));
    const id = await idOf('alone');
    expect((await one(id)).body.functions.name).toEqual(['main', 'work']);
  });
});
