// A BullMQ worker and its jobs, ten at once. argv: the Redis.
import { DelayedError, Queue, QueueEvents, UnrecoverableError, Worker } from 'bullmq';
import { flush, init, stop } from '../../dist/index.mjs';
import { wrapProcessor } from '../../dist/bullmq.mjs';
import { burn, pause } from './work.mjs';

init({ periodMs: 60_000 });
const connection = { url: process.argv[2] };
const queue = new Queue('mail', { connection });
const events = new QueueEvents('mail', { connection });
await events.waitUntilReady();
async function twice(work) {
  work();
  await pause(Math.random() * 8);
  work();
}
let putBack = 0;
const worker = new Worker(
  'mail',
  wrapProcessor(async (job, token) => {
    switch (job.name) {
      case 'welcome':
        await twice(function welcomeWork() {
          burn(2);
        });
        return `to ${job.data.to}`;
      case 'invoice':
        await twice(function invoiceWork() {
          burn(2);
        });
        return undefined;
      case 'later':
        putBack += 1;
        if (putBack > 1) return 'now';
        await job.moveToDelayed(Date.now() + 50, token);
        throw new DelayedError();
      default:
        throw new UnrecoverableError('no such mail');
    }
  }),
  { connection, concurrency: 10 },
);
const jobs = await queue.addBulk([
  ...Array.from({ length: 40 }, (_, to) => ({ name: 'welcome', data: { to } })),
  ...Array.from({ length: 40 }, (_, to) => ({ name: 'invoice', data: { to } })),
  { name: 'later', data: {} },
  { name: 'unknown', data: {} },
]);
const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events).catch((error) => error.message)));
await flush();
await Promise.all([worker.close(), events.close(), queue.obliterate({ force: true }).then(() => queue.close())]);
await stop();
console.log(JSON.stringify({ first: results[0], last: results.slice(-2), putBack }));
