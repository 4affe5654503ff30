import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { profilesToPprof } from '@hearth/profile-formats';
import { labelSet, NO_PARENT, parseProfileTypeId, PROFILE_TYPE_IDS, ProfileBuilder, type LabelSet } from '@hearth/profile-model';
import { encodeBatch } from '@hearth/wire-format';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeBatch } from '../../../../../test/support/made-batch.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { HearthError } from '../../platform/http/index.js';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import { Limits } from '../limits/index.js';
import { BatchIntake } from './batch-intake.js';
import { ProfileIntake } from './profile-intake.js';
import { SMALL_BODY_BYTES } from './small-bodies.js';

const distDir = fileURLToPath(new URL('../../../dist', import.meta.url));

let postgres: TestPostgres;
let server: QueryServer;
const folder = mkdtempSync(path.join(tmpdir(), 'hearth-threads-'));
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await QueryServer.start(postgres.url);
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
  rmSync(folder, { recursive: true });
});

it('takes batches in while questions hold every thread', { timeout: 20_000 }, async () => {
  const file = path.join(folder, 'hold.mjs');
  writeFileSync(file, 'export const run = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);');
  const over = new AbortController();
  const questions = Array.from({ length: 4 }, () =>
    server.app.get(WorkerPool).run(path.relative(distDir, file), null, { signal: over.signal }),
  );
  const ended = Promise.allSettled(questions);
  try {
    const intake = server.app.get(BatchIntake, { strict: false });
    const take = async (batches: number) => {
      const sequences = Array.from({ length: batches }, (_, at) => batches * 100 + at);
      const encoded = sequences.map((sequence) =>
        encodeBatch(madeBatch({ processId: 'a'.repeat(32), sequence, startMs: Date.now() - 20_000 })),
      );
      const body = Uint8Array.from(Buffer.concat(encoded));
      const admitted = { projectId: 1, body, growTo: () => undefined, countProfiles: () => undefined };
      return { bytes: body.length, ...(await intake.take(admitted, 'identity')) };
    };
    expect(await take(1)).toMatchObject({ accepted: 1 });
    const large = await take(250);
    expect(large.bytes).toBeGreaterThan(SMALL_BODY_BYTES); // read in a thread
    expect(large.accepted).toBe(250);
  } finally {
    over.abort();
    await ended;
  }
});

it('counts a body that does not fit into memory once it is read', async () => {
  const intake = server.app.get(BatchIntake, { strict: false });
  const body = Uint8Array.from(encodeBatch(madeBatch({ processId: 'd'.repeat(32), sequence: 1, startMs: Date.now() - 20_000 })));
  const growTo = () => {
    throw new HearthError('INGEST_BUSY', 'no room', { status: 429 });
  };
  const taken = intake.take({ projectId: 1, body, growTo, countProfiles: () => undefined }, 'identity');
  await expect(taken).rejects.toMatchObject({ code: 'INGEST_BUSY' });
  const hits = await server.app.get(Limits, { strict: false }).hits.list(1);
  expect(hits).toMatchObject([{ service: '', code: 'INGEST_BUSY', outcome: 'refused', count: 1 }]);
});

describe('a small body with much in it is read in a thread', () => {
  /** The bytes of a body move to the thread. */
  const isMoved = (body: Uint8Array): boolean => body.buffer.byteLength === 0;
  const admitted = (bytes: Uint8Array) => ({
    projectId: 1,
    body: Uint8Array.from(bytes),
    growTo: () => undefined,
    countProfiles: () => undefined,
  });

  it('a batch with many labels, not one with few', async () => {
    const intake = server.app.get(BatchIntake, { strict: false });
    const made = madeBatch({ processId: 'b'.repeat(32), sequence: 1, startMs: Date.now() - 20_000 });
    const setsOf = (count: number): LabelSet[] =>
      Array.from({ length: count }, (_, set) =>
        labelSet(Array.from({ length: 64 }, (_, n) => [`${n}`.padEnd(100, 'x'), `value ${set % 9}`])),
      );
    for (const [at, count] of [2, 400].entries()) {
      const body = admitted(encodeBatch({ ...made, sequence: at + 1, labelSets: setsOf(count) }));
      expect(body.body.length).toBeLessThan(SMALL_BODY_BYTES);
      expect((await intake.take(body, 'identity')).accepted).toBe(1);
      expect(isMoved(body.body)).toBe(count === 400);
    }
  });

  it('a pprof file with long labels, not one with short ones', async () => {
    const intake = server.app.get(ProfileIntake, { strict: false });
    const fileOf = (length: number): Uint8Array => {
      const builder = new ProfileBuilder({ type: parseProfileTypeId(PROFILE_TYPE_IDS.cpu), startMs: 0, durationMs: 10_000 });
      for (let set = 0; set < 100; set += 1) {
        const labels = Array.from({ length: 15 }, (_, n): [string, string] => [`n${n}`.padEnd(length, 'x'), 'v'.repeat(length)]);
        const stack = builder.stackRow(NO_PARENT, builder.functionRow({ name: 'main', package: '', file: 'main.ts' }));
        builder.addSample(stack, builder.labelSetRow(labelSet([...labels, ['set', `${set}`]])), 1_000);
      }
      return profilesToPprof([builder.build()]);
    };
    for (const length of [10, 1_000]) {
      const body = admitted(fileOf(length));
      expect(body.body.length).toBeLessThan(SMALL_BODY_BYTES);
      const sender = {
        service: 'made', environment: '', revision: '', version: '', host: '', pid: 0, nodeVersion: '', agentVersion: '',
        rateHz: 0, labels: [], processKey: 'c'.repeat(32), startedAtMs: Date.now(),
      }; // prettier-ignore
      const how = {
        encoding: 'identity',
        contentType: '',
        textForm: 'folded',
        hasCallSiteLines: false,
        range: undefined,
        identity: '',
      } as const;
      expect(await intake.take({ ...body, ...how, sender, countedAs: { typeId: PROFILE_TYPE_IDS.cpu } })).toBe('stored');
      expect(isMoved(body.body)).toBe(length === 1_000);
    }
  });
});
