// 50 transactions of three kinds at once; whatever burns, burns in a function named after its kind.
import { flush, init, span, stop, tag, transaction } from '../../dist/index.mjs';
import { burn, pause } from './work.mjs';

init({ periodMs: 1_000 });
const kinds = {
  alpha: function alphaWork() {
    burn(1.5);
  },
  beta: function betaWork() {
    burn(1.5);
  },
  gamma: function gammaWork() {
    burn(1.5);
  },
};
const endAt = performance.now() + 3_000;
let runs = 0;
async function client(at) {
  while (performance.now() < endAt) {
    const kind = Object.keys(kinds)[(at + runs) % 3];
    runs += 1;
    await transaction(kind, async () => {
      kinds[kind]();
      await pause(Math.random() * 10);
      tag({ size: kind.length });
      kinds[kind]();
      await Promise.all([
        pause(1).then(() => kinds[kind]()),
        span('step', async () => {
          await Promise.resolve();
          kinds[kind]();
        }),
      ]);
    });
  }
}
await Promise.all(Array.from({ length: 50 }, (_, at) => client(at)));
console.log(`runs ${runs}`);
await flush();
await stop();
