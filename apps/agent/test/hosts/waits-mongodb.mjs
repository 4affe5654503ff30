// Operations of the mongodb driver, and a pool that is full. argv: the server, and `require` or `import`
import { createRequire } from 'node:module';
import { flush, init, stop, transaction } from '../../dist/index.mjs';
import { burn, pause } from './work.mjs';

init({ periodMs: 1_000 });
const [url, how] = process.argv.slice(2);
const { MongoClient } = how === 'require' ? createRequire(import.meta.url)('mongodb') : await import('mongodb');
const [client, narrow] = [new MongoClient(url), new MongoClient(url, { maxPoolSize: 1 })];
await Promise.all([client.connect(), narrow.connect()]);
const orders = client.db('shop').collection('orders');

const truth = {};
async function timed(name, work) {
  await transaction(name, async () => {
    const from = performance.now();
    await work();
    truth[name] = performance.now() - from;
  });
}
async function loadOrders() {
  await orders.find({ sleepMs: 60, customer: 'secret' }).toArray();
}
async function alphaWork() {
  await narrow.db('shop').collection('alpha').findOne({ sleepMs: 60 });
  alphaBurn();
}
async function betaWork() {
  await narrow.db('shop').collection('beta').findOne({ sleepMs: 60 });
  betaBurn();
}
function alphaBurn() {
  burn(20);
}
function betaBurn() {
  burn(20);
}

const changes = orders.watch([{ $match: { secret: 1 } }]);
void changes.next().catch(() => {}); // until it is closed
await timed('find', loadOrders);
await timed('findOne', () => orders.findOne({ sleepMs: 50, secret: 'secret' }));
await timed('cursor', async () => {
  for await (const order of orders.find({ batches: 3, sleepMs: 40 }, { batchSize: 1 }))
    if (order.n !== 1) throw new Error('other');
});
await timed('insert', () => orders.insertOne({ sleepMs: 50, text: 'secret' }));
await timed('insertMany', () => orders.insertMany([{ sleepMs: 50, text: 'secret' }, { text: 'secret' }]));
await timed('update', () => orders.updateOne({ sleepMs: 50 }, { $set: { text: 'secret' } }));
await timed('aggregate', () => orders.aggregate([{ $match: { sleepMs: 50, secret: 'secret' } }]).toArray());
await timed('modify', () => orders.findOneAndUpdate({ sleepMs: 50 }, { $set: { text: 'secret' } }));
await timed('command', () => client.db('shop').command({ ping: 'secret' }));
await timed('tenant', () => client.db('shop').collection('tenant_20261121.carts').findOne({}));
await Promise.all([1, 2, 3].flatMap(() => [timed('alpha', alphaWork), timed('beta', betaWork)]));
await transaction('broken', () => orders.find({ fail: 1 }).toArray()).catch((error) => console.log(error.name, error.code));
await orders.findOne({}); // in no transaction
await pause(150);
await changes.close();
console.log(JSON.stringify(truth));
await flush();
await client.close();
await narrow.close();
await stop();
