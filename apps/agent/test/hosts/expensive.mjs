// Makes the agent expensive: every sample is another deep stack, and there are thousands of waits in transactions with many labels. argv: seconds, or `fine` before them
import { stat } from 'node:fs/promises';
import { runInThisContext } from 'node:vm';
import { flush, init, stop, transaction } from '../../dist/index.mjs';
import { burn, pause } from './work.mjs';

const isFine = process.argv[2] === 'fine';
const endAt = performance.now() + Number(process.argv.at(-1)) * 1_000;
init({ periodMs: 1_000 });

// Functions of one source are one function to V8: so each has a text of its own.
const texts = Array.from(
  { length: 400 },
  (_, at) =>
    `function step${at}(depth) { return depth === 0 ? burn(3) : functions[Math.floor(Math.random() * 400)](depth - 1); }`,
);
const functions = runInThisContext(`(burn) => { const functions = [${texts.join()}]; return functions; }`)(burn);
let runs = 0;
while (performance.now() < endAt) {
  runs += 1;
  if (isFine) {
    await transaction('fine', async () => {
      burn(2);
      await stat(process.argv[1]);
    });
    await pause(20);
  } else {
    functions[runs % 400](120);
    await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        transaction(`job${at % 7}`, { a: runs % 50, b: at }, async () => {
          for (let wait = 0; wait < 6; wait += 1) await stat(process.argv[1]);
        }),
      ),
    );
  }
}
console.log(runs);
await flush();
await stop();
