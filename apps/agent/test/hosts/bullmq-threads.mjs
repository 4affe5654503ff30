// A BullMQ worker whose processor is a file and runs in worker threads. Preload the agent. argv: the Redis.
import { Queue, QueueEvents, Worker } from 'bullmq';

const connection = { url: process.argv[2] };
const queue = new Queue('mail', { connection });
const events = new QueueEvents('mail', { connection });
await events.waitUntilReady();
const processor = new URL('bullmq-processor.mjs', import.meta.url);
const worker = new Worker('mail', processor, { connection, concurrency: 2, useWorkerThreads: true });
const jobs = await queue.addBulk(Array.from({ length: 10 }, () => ({ name: 'welcome', data: {} })));
const pids = await Promise.all(jobs.map((job) => job.waitUntilFinished(events)));
await Promise.all([worker.close(), events.close(), queue.obliterate({ force: true }).then(() => queue.close())]);
console.log(JSON.stringify(pids.every((pid) => pid === process.pid)));
