/** Works under the agent, a transaction after the other, until its standard input ends; then sends what it has and ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { flush, init, stop, transaction } from '@hearth/agent';

init({ periodMs: 1_000 });
let isWorking = true;
process.stdin.resume().once('end', () => {
  isWorking = false;
});

while (isWorking) {
  await transaction('tick', {}, async () => {
    const until = performance.now() + 15;
    let sum = 0;
    while (performance.now() < until) sum += Math.sqrt(sum + 1);
    await sleep(5);
  });
  await sleep(20);
}
for (let tries = 0; tries < 60 && !(await flush()); tries += 1) await sleep(500);
await stop();
