// Waits that are none, and such as could be counted twice: sleeps that are given up or hold nothing
import { setTimeout as sleep } from 'node:timers/promises';
import { flush, init, stop, transaction } from '../../dist/index.mjs';

init({ periodMs: 1_000 });

const holding = setInterval(() => {}, 10);
await transaction('slept', () => sleep(60));
await transaction('unheld', () => sleep(60, undefined, { ref: false }));
await transaction('aborted', () => sleep(10_000, undefined, { signal: AbortSignal.timeout(60) }).catch(() => {}));
for (const options of [
  null,
  {
    get ref() {
      throw new Error('of the program');
    },
  },
]) {
  await transaction('refused', async () => sleep(60, undefined, options)).catch((error) =>
    console.log(error.code ?? error.message),
  );
}
clearInterval(holding);

await flush();
await stop();
