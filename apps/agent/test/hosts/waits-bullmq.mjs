// A queue and a worker of BullMQ: what adding a job waits for, and that a worker with nothing to do waits for nothing. argv: Redis
import { Queue, Worker } from 'bullmq';
import { flush, init, stop, transaction } from '../../dist/index.mjs';

init({ periodMs: 1_000 });
const { hostname: host, port } = new URL(process.argv[2]);
const connection = { host, port: Number(port), maxRetriesPerRequest: null };
const queue = new Queue('waits', { connection });
const worker = new Worker('waits', (job) => transaction(job.name, () => job.updateProgress(50)), { connection });
await worker.waitUntilReady();
const done = new Promise((resolve) => worker.once('completed', resolve));
await new Promise((resolve) => setTimeout(resolve, 300)); // it waits for a job
async function enqueueOrder() {
  await queue.add('secret-less-job', { secret: 'secret' });
}
await transaction('order', enqueueOrder);
await done;
await flush();
await worker.close();
await queue.close();
await stop();
