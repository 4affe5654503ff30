/** Runs slow and fast transactions with steps, waits, labels and context, one of them over several periods. */
import { setTimeout as sleep } from 'node:timers/promises';
import { flush, init, span, stop, tag, transaction } from '../../dist/index.mjs';

const burn = (ms) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};
function slowPart(ms) {
  burn(ms);
}
function longPart(ms) {
  burn(ms);
}

init({ periodMs: 60_000, redact: ['secret*'], hash: ['user'] });
await flush();

const long = transaction('long job', async () => {
  for (let step = 0; step < 3; step += 1) {
    await span('turn', { step }, async () => {
      longPart(200);
      await sleep(60);
    });
    await flush();
  }
});

for (let order = 0; order < 5; order += 1) {
  await transaction('order', { plan: 'pro' }, async () => {
    tag({ items: '2-9' }, { order, user: 'ada@example.com', secretToken: 'hunter2' });
    await span('load', { order }, async () => {
      await sleep(order === 3 ? 80 : 50);
    });
    const price = await span('price', async () => {
      slowPart(order === 3 ? 400 : 10);
      return span('round', () => 7);
    });
    await span('fails', async () => {
      throw new Error('of the host');
    }).catch(() => {});
    if (price !== 7) throw new Error('span changed what it ran');
  });
}
transaction('without samples', () => span('nothing', () => 1));
await long;
await flush();
console.log('done');
await stop();
