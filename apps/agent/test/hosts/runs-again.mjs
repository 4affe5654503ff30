// One transaction, again and again. argv: `frozen` for a global object that cannot be added to.
import { flush, init, stop, transaction } from '../../dist/index.mjs';
import { burn, pause } from './work.mjs';

init({ periodMs: 1_000, waits: 'off' });
if (process.argv[2] === 'frozen') Object.preventExtensions(globalThis);
const endAt = performance.now() + 2_500;
while (performance.now() < endAt) {
  await transaction('job', async () => burn(1));
  await pause(5);
}
await flush();
await stop();
