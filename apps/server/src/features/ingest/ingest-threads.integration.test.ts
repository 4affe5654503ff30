import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeBatch } from '@hearth/wire-format';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { madeBatch } from '../../../../../test/support/made-batch.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import { BatchIntake } from './batch-intake.js';
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
