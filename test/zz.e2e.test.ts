import { it } from 'vitest';
import { gzipSync } from 'node:zlib';
import { setTimeout as sleep } from 'node:timers/promises';
import { BATCH_CONTENT_TYPE, encodeBatch } from '@hearth/wire-format';
import { madeBatch } from './support/made-batch.js';
import { startTestPostgres } from './support/postgres.js';
import { startTestServer } from './support/server.js';
it('x', async () => {
  const pgs = await startTestPostgres({ durable: true });
  let seq = 0;
  for (let round = 0; round < 3; round += 1) {
    let t = performance.now(); const lap = (what: string) => { console.log(what, Math.round(performance.now() - t)); t = performance.now(); };
    const server = await startTestServer({ databaseUrl: pgs.url }); lap('start');
    const send = async () => { const body = gzipSync(encodeBatch(madeBatch({ processId: 'a'.repeat(32), sequence: (seq += 1), startMs: Date.now() - 60000 }))); for (let n = 0; ; n += 1) { const r = await fetch(server.url + '/api/v1/batches', { method: 'POST', headers: { authorization: `Bearer ${server.key}`, 'content-type': BATCH_CONTENT_TYPE, 'content-encoding': 'gzip' }, body: new Uint8Array(body), signal: AbortSignal.timeout(5000) }).then((r) => r.status, (e) => String(e)); if (r === 202) return n; console.log('  got', r); await sleep(50); } };
    await send(); lap('first'); await send(); lap('second'); await send(); lap('third');
    process.kill(pgs.pid(), 'SIGKILL'); await send(); lap('after postgres killed'); await send(); lap('next');
    await server.kill(); lap('kill');
  }
  await pgs.stop();
}, 200000);
