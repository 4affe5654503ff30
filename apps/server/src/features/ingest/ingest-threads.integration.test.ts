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
    const body = Uint8Array.from(
      encodeBatch(madeBatch({ processId: 'a'.repeat(32), sequence: 1, startMs: Date.now() - 20_000 })),
    );
    const answer = await server.app.get(BatchIntake, { strict: false }).take(1, body, 'identity', () => undefined);
    expect(answer.accepted).toBe(1);
  } finally {
    over.abort();
    await ended;
  }
});
