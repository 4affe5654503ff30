/**
 * A service whose transactions its parent counts: one every 50 ms, told before the next begins. Told to end, it stops the agent first.
 * argv: bytes of the agent's ring
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { init, stop, transaction } from '@hearth/agent';

init({ maxBufferedBytes: Number(process.argv[2]), logger: { info: () => {}, warn: (line) => process.send({ line }) } });
let isEnding = false;
process.once('message', () => {
  isEnding = true;
});

function burn(milliseconds) {
  const until = performance.now() + milliseconds;
  while (performance.now() < until) for (let step = 0; step < 1_000; step += 1) Math.sqrt(step);
}

for (let count = 1; !isEnding; count += 1) {
  transaction('counted', () => burn(0.5));
  process.send({ count });
  await sleep(50);
}
await stop();
process.disconnect();
