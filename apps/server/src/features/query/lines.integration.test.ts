import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { labelSet, PROFILE_TYPE_IDS } from '@hearth/profile-model';
import type { FunctionsAnswer, LinesAnswer, Problem } from '@hearth/query-contract';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lineBatch } from '../../../../../test/support/line-batch.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { sendBatch } from '../../../../../test/support/send-batch.js';

const START = Math.floor(Date.now() / 60_000) * 60_000 - 600_000;
const RANGE = `from=${START}&until=${START + 600_000}`;
const PROFILE = `
  1000         500          300x3        20
  main#7@a.ts  main#7@a.ts  main#9@a.ts
  parse#3@b.ts parse#4@b.ts walk#5@a.ts
                            walk#5@a.ts
`;

let postgres: TestPostgres;
let server: QueryServer;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await QueryServer.start(await postgres.createDatabase());
  const batches = [
    lineBatch(made('a', 1), PROFILE),
    lineBatch(made('a', 2), PROFILE),
    lineBatch(made('b', 1), PROFILE),
    lineBatch(made('b', 2), PROFILE, 'definition'),
    revisionOf(lineBatch(made('c', 1), PROFILE), 'made-2'),
  ];
  for (const batch of batches) {
    const { status, body } = await sendBatch(server.address, batch);
    if (body.accepted !== 1) throw new Error(`not stored: ${status} ${body.code}`);
  }
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});

function made(process: string, sequence: number): Parameters<typeof lineBatch>[0] {
  return { processId: process.repeat(32), sequence, startMs: START + sequence * 10_000 };
}
function revisionOf(batch: ReturnType<typeof lineBatch>, revision: string): ReturnType<typeof lineBatch> {
  return { ...batch, process: { ...batch.process, revision, labels: labelSet({ pod: revision }) } };
}
const ask = async <Body>(query: string, range = RANGE) =>
  server.get<Body>(`/api/v1/lines?service=made&revision=made-1&${range}&${query}`);
const problem = async (query: string, range = RANGE) => (await ask<Problem>(query, range)).body;
const rowsOf = ({ lines }: LinesAnswer) =>
  lines.map(({ line, self, total, samples }) => `${line}: ${self} of ${total}, ${samples} samples`);

describe('GET /lines', () => {
  it('answers self and total of each line of a file, of what was recorded with lines', async () => {
    const { body } = await ask<LinesAnswer>('file=a.ts');
    expect(rowsOf(body)).toEqual(['5: 900 of 900, 9 samples', '7: 0 of 4500, 6 samples', '9: 0 of 900, 9 samples']);
    expect(body).toMatchObject({ unit: 'microseconds', package: '', file: 'a.ts', recordings: 3, sum: 5400 });
    expect(body.selection).toMatchObject({ revision: 'made-1', fromMs: START, untilMs: START + 600_000 });
    expect(rowsOf((await ask<LinesAnswer>('file=b.ts')).body)).toEqual([
      '3: 3000 of 3000, 3 samples',
      '4: 1500 of 1500, 3 samples',
    ]);
  });

  it('answers the file in which most ran where none is named, and lists the others', async () => {
    const { body } = await ask<LinesAnswer>('');
    expect(body).toEqual((await ask<LinesAnswer>('file=b.ts')).body);
    expect(body).toMatchObject({
      file: 'b.ts',
      files: [
        { package: '', file: 'b.ts', self: 4500 },
        { file: 'a.ts', self: 900 },
      ],
    });
  });

  it('keeps the figures of flame graphs, which know nothing of lines', async () => {
    const { body } = await server.get<FunctionsAnswer>(`/api/v1/functions?service=made&${RANGE}`);
    expect(body.functions.map(({ name, self, total }) => `${name} ${self} of ${total}`)).toEqual([
      'parse 7500 of 7500',
      'walk 1500 of 1500',
      'main 0 of 9000',
    ]);
    expect(body.sum).toBe(9100);
  });

  it('answers about one process, environment or labelled process, and another revision', async () => {
    const selfOf = async (query: string, range?: string) =>
      (await ask<LinesAnswer>(`file=b.ts&${query}`, range)).body.lines.map(({ self }) => self);
    expect(await selfOf(`process=${'b'.repeat(32)}`)).toEqual([1000, 500]);
    expect(await selfOf('environment=test')).toEqual([3000, 1500]);
    expect(await selfOf('', `from=${START + 20_000}`)).toEqual([1000, 500]);
    const other = `/api/v1/lines?service=made&revision=made-2&file=b.ts&${RANGE}`;
    expect(rowsOf((await server.get<LinesAnswer>(`${other}&match={pod="made-2"}`)).body)).toHaveLength(2);
    expect((await server.get<Problem>(`${other}&match={pod!="made-2"}`)).body.code).toBe('LINES_NOT_RECORDED');
  });

  it('says what was not recorded, and what was', async () => {
    expect(await problem('file=c.ts')).toMatchObject({
      code: 'LINES_NOT_RECORDED',
      status: 404,
      detail: 'nothing ran in "c.ts" of revision "made-1" while lines were recorded; most ran in b.ts, a.ts',
    });
    expect(await problem('file=a.ts&package=express')).toMatchObject({ code: 'LINES_NOT_RECORDED' });
    expect(await problem('file=a.ts', `from=${START + 30_000}`)).toMatchObject({ code: 'LINES_NOT_RECORDED' });
    expect(await problem('file=a.ts&transaction=job')).toMatchObject({ code: 'LINES_HAVE_NO_LABELS', status: 400 });
    expect(await problem('', `from=${START + 30_000}`)).toMatchObject({ code: 'LINES_NOT_RECORDED' });
    expect(await problem('file=')).toMatchObject({ code: 'REQUEST_INVALID' });
    expect((await server.get<Problem>(`/api/v1/lines?service=made&file=a.ts&${RANGE}`)).body.code).toBe('REQUEST_INVALID');
    expect((await fetch(`${server.address.url}/api/v1/lines?service=made&revision=made-1&file=a.ts`)).status).toBe(401);
  });

  it('counts a batch that comes twice once', async () => {
    const again = await sendBatch(server.address, lineBatch(made('a', 1), PROFILE));
    expect(again.body).toMatchObject({ accepted: 0, duplicates: 1 });
    expect((await ask<LinesAnswer>('file=a.ts')).body.recordings).toBe(3);
  });

  it('gives levels as they were on average while lines were recorded, however long their processes lived', async () => {
    const heapOf = (sequence: number, bytes: number) => {
      const batch = lineBatch(made('d', sequence), `${bytes}\nmain#7@a.ts`);
      const [profile] = batch.profiles;
      return revisionOf({ ...batch, profiles: [{ ...profile!, typeId: PROFILE_TYPE_IDS.inuse_space }] }, 'heap');
    };
    for (const batch of [heapOf(1, 4_096), heapOf(30, 8_192)]) expect((await sendBatch(server.address, batch)).status).toBe(202);
    const { body } = await server.get<LinesAnswer>(
      `/api/v1/lines?service=made&revision=heap&type=inuse_space&file=a.ts&${RANGE}`,
    );
    expect(body).toMatchObject({ sum: 6_144, lines: [{ line: 7, self: 6_144, total: 6_144, samples: 2 }] });
  });

  it('reads them page by page, also where many start at once, and not without end', async () => {
    const database = server.app.get(DataSource, { strict: false });
    const copies = async (count: number, startMs: string) =>
      database.query(
        `INSERT INTO line_recording (service_id, start_ms, profile_type_id, revision_id, environment_id, process_id, duration_ms, label_set_ids, data)
         SELECT service_id, ${startMs}, profile_type_id, revision_id, environment_id, process_id, duration_ms, label_set_ids, data
         FROM (SELECT * FROM line_recording WHERE start_ms = $1 LIMIT 1) AS one, generate_series(1, ${count}) AS n`,
        [START + 20_000],
      );
    const later = `from=${START + 300_000}&until=${START + 500_000}`;
    await copies(45, `${START + 300_000}`);
    await copies(30, `${START + 300_000} + n * 1000`);
    const { body } = await ask<LinesAnswer>('file=b.ts', later);
    expect(body.recordings).toBe(75);
    expect(rowsOf(body)).toEqual(['3: 75000 of 75000, 75 samples', '4: 37500 of 37500, 75 samples']);
    await copies(9_926, `${START + 400_000}`);
    expect(await problem('file=b.ts', later)).toMatchObject({
      code: 'LINES_TOO_MANY',
      detail: 'lines were recorded 10001 times in this range, 10000 can be read: ask for a part of it',
    });
    await database.query('DELETE FROM line_recording WHERE start_ms >= $1', [START + 300_000]);
  });

  it('refuses to guess at what is damaged', async () => {
    const database = server.app.get(DataSource, { strict: false });
    const [row] = (await database.query(`SELECT id, data FROM line_recording ORDER BY start_ms DESC LIMIT 1`)) as {
      id: string;
      data: Buffer;
    }[];
    const put = (data: Buffer) => database.query('UPDATE line_recording SET data = $1 WHERE id = $2', [data, row!.id]);
    for (const data of [row!.data.subarray(0, -3), Buffer.of(9, 1), Buffer.alloc(0)]) {
      await put(data);
      expect(await problem('file=a.ts')).toMatchObject({ code: 'LINES_DAMAGED', status: 500 });
    }
    await put(row!.data);
    expect((await ask<LinesAnswer>('file=a.ts')).status).toBe(200);
  });
});

describe('POST /profiles with lines=call-site', () => {
  const upload = async (body: Uint8Array<ArrayBuffer>, query: string) => {
    const { url, key } = server.address;
    const response = await fetch(`${url}/api/v1/profiles?service=uploaded&revision=u1&${query}`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${key}` },
    });
    return { status: response.status, body: (await response.json()) as Problem };
  };

  it('keeps the lines that a real program ran on', async () => {
    const program = path.resolve(import.meta.dirname, '../../../../../test/host-programs/recorded-lines.mjs');
    const pprof = new Uint8Array(execFileSync(process.execPath, [program]));
    expect((await upload(pprof, 'lines=call-site')).status).toBe(202);
    // Of a program whose folder is not known, names begin where its package does.
    const { body: functions } = await server.get<FunctionsAnswer>(
      '/api/v1/functions?service=uploaded&type=wall&search=recorded-lines',
    );
    const { file, package: packageName } = functions.functions[0]!;
    const { body } = await server.get<LinesAnswer>(
      `/api/v1/lines?service=uploaded&revision=u1&type=wall&file=${encodeURIComponent(file)}&package=${packageName}`,
    );
    const totalOf = (line: number) => body.lines.find((one) => one.line === line)?.total ?? 0;
    // price() calls burn(30 ms) on line 15 and burn(10 ms) on line 16.
    expect(totalOf(15) / totalOf(16)).toBeGreaterThan(2);
    expect(totalOf(15) / totalOf(16)).toBeLessThan(4.5);
    expect((totalOf(15) + totalOf(16)) / body.sum).toBeGreaterThan(0.8);
  });

  it('refuses files whose lines it does not read, and stores nothing of them', async () => {
    const folded = new TextEncoder().encode('main;read 3\n');
    expect((await upload(folded, 'lines=call-site')).body).toMatchObject({ code: 'LINES_NOT_READ', status: 400 });
    expect((await upload(folded, 'lines=definition')).body).toMatchObject({ code: 'REQUEST_INVALID' });
    expect((await upload(folded, 'lines=none')).status).toBe(202);
  });
});
