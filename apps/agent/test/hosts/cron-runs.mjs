// node-cron runs two tasks each second; the second one fails.
import cron from 'node-cron';
import { flush, init, stop, wrap } from '../../dist/index.mjs';
import { burn, pause } from './work.mjs';

init({ periodMs: 60_000 });
let runs = 0;
cron.setLogger?.({ info() {}, warn() {}, error() {}, debug() {} });
const tasks = [
  cron.schedule(
    '* * * * * *',
    wrap(async function refreshPrices(context) {
      burn(200);
      await pause(1);
      runs += context.date instanceof Date ? 1 : 0;
    }),
  ),
  cron.schedule(
    '* * * * * *',
    wrap(
      async () => {
        throw new Error('of the task');
      },
      { name: 'cron clean-up' },
    ),
  ),
];
while (runs < 2) await pause(20);
for (const task of tasks) await task.stop();
await pause(50);
await flush();
await stop();
console.log(runs);
process.exit(0);
