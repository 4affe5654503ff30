/**
 * A service under load that, every few seconds, burns CPU in a function of a new name and tells its parent when it ended:
 * the moment at which the last of its samples was taken.
 */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import vm from 'node:vm';

const [everyMs, burnMs, marks] = process.argv.slice(2).map(Number);
const REQUESTS_PER_SECOND = 40;

function burn(milliseconds) {
  const until = performance.now() + milliseconds;
  while (performance.now() < until) for (let step = 0; step < 1_000; step += 1) Math.sqrt(step);
}
globalThis.burn = burn;

const server = createServer(async (_request, response) => {
  burn(1);
  await sleep(5);
  burn(1);
  response.end('served');
});
server.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${server.address().port}/`;
  const load = setInterval(
    () =>
      void fetch(url).then(
        (response) => response.text(),
        () => undefined,
      ),
    1_000 / REQUESTS_PER_SECOND,
  );
  for (let mark = 0; mark < marks; mark += 1) {
    await sleep(everyMs);
    const name = `mark_${mark}_end`;
    // A loop of its own, since a function that only calls `burn` would have no samples that end in it.
    vm.runInThisContext(
      `(function ${name}(until) { let sum = 0; while (performance.now() < until) for (let i = 0; i < 1000; i++) sum += Math.sqrt(i); return sum; })`,
    )(performance.now() + burnMs);
    process.send({ name, endedMs: Date.now() });
  }
  process.once('disconnect', () => {
    clearInterval(load);
    process.exit();
  });
});
