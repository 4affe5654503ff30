// A program on the API of @pyroscope/nodejs. argv: the package, by its address. Prints what that is and does; then 30 units of work at once under labels.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { burn, pause } from './work.mjs';

const [, , address, cjsAddress] = process.argv;
const loaded = await import(address);
const required = createRequire(import.meta.url)(fileURLToPath(cjsAddress));
const Pyroscope = loaded.default;
const shapeOf = (exported) => Object.fromEntries(Object.keys(exported).map((name) => [name, typeof exported[name]]));

// One upload at the end: the client may fail the process where a periodic one meets its stop.
Pyroscope.init({
  appName: 'pyroscope-user',
  tags: { region: 'eu', revision: 'r7' },
  flushIntervalMs: 30_000,
  wall: { collectCpuTime: true },
});
Pyroscope.start();
Pyroscope.start();
const seen = [];
const look = () => seen.push(Pyroscope.getLabels());
look();
Pyroscope.wrapWithLabels(
  { outer: 'a', both: 1 },
  (...args) => {
    seen.push(args);
    Pyroscope.wrapWithLabels({ both: 2, inner: 'b' }, look);
    look();
  },
  'x',
  2,
);
look();
Pyroscope.setLabels({ set: 'c' });
look();
Pyroscope.setWallLabels({ set: 'd', more: 5 });
seen.push(Pyroscope.getWallLabels());
Pyroscope.setLabels({});
look();
Pyroscope.setLabels({ set: 'e' });
Pyroscope.setLabels(undefined);
look();

const results = [
  Pyroscope.wrapWithLabels({ a: 1 }, (a, b) => a + b, 1, 2),
  await Pyroscope.wrapWithLabels({ a: 2 }, async () => 'later'),
];
try {
  Pyroscope.wrapWithLabels({ a: 3 }, () => {
    throw new Error('of the program');
  });
} catch (error) {
  results.push(error.message, Pyroscope.getLabels());
}
Pyroscope.setLabels({});

const kinds = {
  alpha: function alphaWork() {
    burn(1.5);
  },
  beta: function betaWork() {
    burn(1.5);
  },
};
async function work(kind) {
  kinds[kind]();
  await pause(Math.random() * 10);
  kinds[kind]();
  await Promise.all([pause(1).then(kinds[kind]), Promise.resolve().then(kinds[kind])]);
}
const endAt = performance.now() + 2_500;
async function client(at) {
  for (let run = at; performance.now() < endAt; run += 1) {
    const kind = run % 2 ? 'alpha' : 'beta';
    await new Promise((resolve) => Pyroscope.wrapWithLabels({ kind }, () => void work(kind).then(resolve)));
  }
}
await Promise.all(Array.from({ length: 30 }, (_, at) => client(at)));
await Pyroscope.stopHeapProfiling();
await Pyroscope.stopCpuProfiling();
await Pyroscope.stop();
console.log(
  JSON.stringify({
    named: shapeOf(loaded),
    byDefault: shapeOf(Pyroscope),
    required: shapeOf(required),
    requiredDefault: shapeOf(required.default),
    seen,
    results,
  }),
);
