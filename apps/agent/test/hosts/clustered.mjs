// Two cluster workers that answer requests of two kinds at once, and a primary that asks them; whatever burns, burns in a function named after its route.
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { burn, pause } from './work.mjs';

if (cluster.isPrimary) {
  const workers = [cluster.fork(), cluster.fork()];
  const ports = await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  const endAt = performance.now() + 2_500;
  const ask = async (at) => {
    let answers = 0;
    for (; performance.now() < endAt; answers += 1)
      await (await fetch(`http://127.0.0.1:${ports[0]}/${at % 2 ? 'alpha' : 'beta'}`)).text();
    return answers;
  };
  const answers = await Promise.all(Array.from({ length: 8 }, (_, at) => ask(at)));
  console.log(answers.reduce((sum, one) => sum + one, 0));
  for (const worker of workers) worker.kill();
} else {
  const { transaction } = await import('../../dist/index.mjs');
  const work = {
    alpha: function alphaWork() {
      burn(1);
    },
    beta: function betaWork() {
      burn(1);
    },
  };
  const server = createServer(async (request, response) => {
    const kind = request.url.slice(1);
    await transaction(kind, async () => {
      work[kind]();
      await pause(2);
      work[kind]();
    });
    response.end('done');
  }).listen(0, '127.0.0.1', () => process.send(server.address().port));
}
