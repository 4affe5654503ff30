import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type {
  CommandAnswer,
  FunctionsAnswer,
  LinesAnswer,
  MeasuresAnswer,
  Problem,
  ProcessMetricsAnswer,
} from '@hearth/query-contract';
import { DataSource } from 'typeorm';
import { runHost } from '../../../../agent/test/support/run-host.js';
import { madeBatch } from '../../../../../test/support/made-batch.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { sendBatch } from '../../../../../test/support/send-batch.js';
import { AgentCommands } from './agent-commands.repository.js';

const A = 'a'.repeat(32);
const B = 'b'.repeat(32);
const PATH = '/api/v1/services/made/commands';

let postgres: TestPostgres;
let server: QueryServer;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(async () => {
  await postgres?.stop();
});

let sequence = 0;
/** What the answer to a batch of this process asks of it. */
async function asked(processId: string, agoMs = 10_000, change: object = {}) {
  const batch = madeBatch({ processId, sequence: (sequence += 1), startMs: Date.now() - agoMs });
  const { status, body } = await sendBatch(server.address, { ...batch, process: { ...batch.process, ...change } });
  expect(status).toBe(202);
  return body.commands;
}
const give = async (request: object, path = PATH) =>
  server.post<CommandAnswer & Problem>(path, { kind: 'record-lines', ...request });

describe('a command', () => {
  beforeEach(async () => {
    server = await QueryServer.start(await postgres.createDatabase());
    return () => server.stop();
  });

  it('is offered to the process it is for, with each of its batches, until it expires', async () => {
    expect(await asked(A)).toEqual([]);
    await asked(B);
    const { status, body } = await give({ durationMs: 30_000, process: A });
    expect(status).toBe(201);
    expect(body).toMatchObject({ kind: 'record-lines', processes: [A], durationMs: 30_000, expiresMs: body.issuedMs + 120_000 });
    const offer = [{ id: body.id, kind: 'record-lines', process: A, durationMs: 30_000 }];
    expect(await asked(A)).toEqual(offer);
    expect(await asked(A)).toEqual(offer);
    expect(await asked(B)).toEqual([]);
    expect((await server.get<CommandAnswer[]>(PATH)).body).toEqual([body]);

    const commands = server.app.get(AgentCommands, { strict: false });
    expect(await commands.offersTo(1, [A, A], body.expiresMs - 1)).toEqual(offer);
    expect(await commands.offersTo(1, [A], body.expiresMs + 3_000)).toEqual([]);
    expect(await commands.offersTo(2, [A], body.expiresMs - 1)).toEqual([]); // another project
  });

  it('says whose calls are to be counted', async () => {
    await asked(A);
    const named = { functions: ['price', 'help*'], files: ['src/'] };
    const { status, body } = await give({ kind: 'count-calls', ...named });
    expect(status).toBe(201);
    expect(body).toMatchObject({ kind: 'count-calls', durationMs: 10_000, ...named });
    expect((await give({ kind: 'count-calls', durationMs: 1_000 })).body).toMatchObject({ functions: [], files: [] });
    const offers = await asked(A);
    expect(offers?.[0]).toEqual({ id: body.id, kind: 'count-calls', process: A, durationMs: 10_000, ...named });
    expect((await server.get<CommandAnswer[]>(PATH)).body[1]).toEqual(body);
  });

  it('goes to the processes that were last heard of, as many as are asked for', async () => {
    await asked(A, 50_000);
    await asked(B, 10_000);
    expect((await give({})).body.processes).toEqual([B]);
    expect((await give({ processes: 100 })).body.processes).toEqual([B, A]);
    expect((await give({ environment: 'elsewhere' })).body.code).toBe('NO_PROCESS_LISTENS');
  });

  it('goes to nobody who would not hear of it', async () => {
    await asked(A, 10 * 60_000); // long ago
    await asked(B, 10_000, { agentVersion: 'pyroscope node' });
    for (const request of [{}, { process: A }, { process: 'c'.repeat(32) }])
      expect(await give(request)).toMatchObject({ status: 409, body: { code: 'NO_PROCESS_LISTENS' } });
    expect(await give({}, '/api/v1/services/other/commands')).toMatchObject({ status: 404, body: { code: 'SERVICE_NOT_FOUND' } });
  });

  it('is one of a closed set, within bounds, and given by an admin', async () => {
    await asked(A);
    for (const wrong of [
      { kind: 'run' },
      { durationMs: 9_999 },
      { durationMs: 60_001 },
      { processes: 0 },
      { processes: 101 },
      { functions: ['price'] },
      { files: ['src/cart'] },
      { kind: 'count-calls', durationMs: 999 },
      { kind: 'count-calls', durationMs: 60_001 },
      { kind: 'count-calls', functions: Array.from({ length: 21 }, () => 'price') },
      { kind: 'count-calls', functions: [''] },
      { kind: 'count-calls', files: ['x'.repeat(201)] },
      { kind: 'count-calls', functions: Array.from({ length: 11 }, () => '価'.repeat(200)) },
      { more: 1 },
    ])
      expect(await give(wrong)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
    expect((await give({ durationMs: 10_000 })).status).toBe(201);
    const raised = await give({ kind: 'raise-rate' });
    expect(raised).toMatchObject({ status: 201, body: { kind: 'raise-rate', durationMs: 60_000 } });
    expect(await asked(A)).toContainEqual({ id: raised.body.id, kind: 'raise-rate', process: A, durationMs: 60_000 });
    const { body: reader } = await server.post<{ key: string }>('/api/v1/api-keys', { name: 'r', kind: 'read' });
    expect((await server.post(PATH, { kind: 'record-lines' }, reader.key)).status).toBe(403);
    const longest = { kind: 'count-calls', functions: Array.from({ length: 9 }, () => '価'.repeat(200)) };
    for (let open = 2; open < 8; open += 1) expect((await give(longest)).status).toBe(201);
    expect(await give({})).toMatchObject({ status: 429, body: { code: 'TOO_MANY_COMMANDS' } });
    const offered = await asked(A);
    expect(offered).toHaveLength(8);
    expect(Buffer.byteLength(JSON.stringify(offered))).toBeLessThan(60 * 1024); // an agent reads 64 KiB
  });

  it('costs no batch when it cannot be read, and is listed for a day', async () => {
    await asked(A);
    const database = server.app.get(DataSource, { strict: false });
    await give({});
    await database.query('UPDATE agent_command SET expires_ms = $1', [Date.now() - 86_400_001]);
    expect((await server.get<CommandAnswer[]>(PATH)).body).toEqual([]);
    const { body } = await give({});
    expect((await server.get<CommandAnswer[]>(PATH)).body).toEqual([body]);
    expect(await database.query('SELECT count(*) AS n FROM agent_command')).toEqual([{ n: 1 }]);
    await database.query('ALTER TABLE agent_command RENAME TO away');
    expect(await asked(A)).toEqual([]);
  });

  it('makes a real agent count calls, which are answered; so are its measures', async () => {
    let ended = false;
    const running = runHost('calls.mjs', server.address.url, {
      args: ['1700'],
      env: { HEARTH_KEY: server.address.key, HEARTH_SERVICE: 'made', HEARTH_REVISION: 'r1' },
    }).finally(() => (ended = true));
    const command = { kind: 'count-calls', durationMs: 1_000, files: ['hosts/calls'] };
    while (!ended && (await give(command)).status !== 201) await new Promise((resolve) => setTimeout(resolve, 200));
    await running;
    const range = 'service=made&revision=r1&from=now-1h&until=now';
    const { status, body: answer } = await server.get<FunctionsAnswer & Problem>(`/api/v1/functions?${range}&type=calls`);
    expect(status).toBe(200);
    const { functions } = answer;
    expect(functions.find(({ name }) => name === 'inlined')).toMatchObject({
      self: 24_690,
      file: 'apps/agent/test/hosts/calls.mjs',
    });
    const { measures } = (await server.get<MeasuresAnswer>(`/api/v1/measures?${range}`)).body;
    expect(measures.map(({ name, count, byRevision: [r1] }) => [name, count, r1!.revision])).toEqual([['work', 1, 'r1']]);
  });

  it('makes a real agent record lines, which are answered', async () => {
    let ended = false;
    const running = runHost('lines.mjs', server.address.url, {
      args: ['14000'],
      env: { HEARTH_KEY: server.address.key, HEARTH_SERVICE: 'made', HEARTH_REVISION: 'r1' },
    }).finally(() => (ended = true));
    while (!ended && (await give({ durationMs: 10_000 })).status !== 201)
      await new Promise((resolve) => setTimeout(resolve, 200));
    await running;
    const { body } = await server.get<LinesAnswer>(
      '/api/v1/lines?service=made&revision=r1&from=now-1h&until=now&type=wall&file=apps/agent/test/hosts/lines.mjs',
    );
    const of = (line: number) => body.lines.find((one) => one.line === line)!.total;
    expect(of(7)).toBeGreaterThan(of(8));
    expect(of(7)).toBeGreaterThan(1_000_000);
  });

  it('makes a real agent raise its rate, which is seen and why', async () => {
    let ended = false;
    const running = runHost('raises.mjs', server.address.url, {
      args: ['7000'],
      env: { HEARTH_KEY: server.address.key, HEARTH_SERVICE: 'made', HEARTH_REVISION: 'r1' },
    }).finally(() => (ended = true));
    const until = Date.now() + 6_000;
    while (!ended && Date.now() < until) {
      if ((await give({ kind: 'raise-rate', durationMs: 10_000 })).status === 201) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect((await running).errors).toContain('[AGENT_RAISED_RATE]');
    const range = `from=${Date.now() - 120_000}&until=${Date.now() + 60_000}`;
    const { body } = await server.get<ProcessMetricsAnswer>(`/api/v1/process-metrics?service=made&${range}`);
    const highest = (name: string) => Math.max(...body.series.find((one) => one.name === name)!.max.map((value) => value ?? 0));
    expect([highest('agent_sampling_rate_hz'), highest('agent_raised_by_command_ratio')]).toEqual([499, 1]);
  });
});
