// Many worker threads that live for a moment, a few at a time; some of them with little memory, some terminated. argv: how many, and `piscina` for its pool
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { flush } from '../../dist/index.mjs';
import { burn } from './work.mjs';

export function job({ at }) {
  burn(20);
  const garbage = Array.from({ length: 2_000 }, (_, row) => ({ row, text: `row ${row} of ${at}` }));
  return garbage.length;
}

async function startThemselves(count) {
  let at = 0;
  let ended = 0;
  async function lane() {
    while (at < count) {
      const number = at++;
      const worker = new Worker(new URL(import.meta.url), {
        workerData: { number },
        resourceLimits: number % 2 === 0 ? { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 2 } : {},
      });
      if (number % 5 === 0) setTimeout(() => void worker.terminate(), number % 40);
      await new Promise((resolve) => worker.once('exit', resolve));
      ended += 1;
    }
  }
  await Promise.all(Array.from({ length: 4 }, lane));
  return ended;
}

if (isMainThread) {
  const count = Number(process.argv[2]);
  if (process.argv[3] === 'piscina') {
    const { default: Piscina } = await import('piscina');
    const pool = new Piscina({ filename: new URL(import.meta.url).href, maxThreads: 3, idleTimeout: 0 });
    const sizes = await Promise.all(Array.from({ length: count }, (_, at) => pool.run({ at }, { name: 'job' })));
    console.log(sizes.length);
    await flush(); // a pool terminates its threads
    await pool.destroy();
  } else {
    console.log(await startThemselves(count));
  }
} else if (workerData?.number !== undefined) {
  job({ at: workerData.number });
}
