/**
 * 50 concurrent asynchronous transactions of 3 kinds, each busy section in a function named after its kind.
 * Arguments: who labels (`hearth`, `pyroscope-wrap`, `pyroscope-set`), where to send, how many seconds.
 */
import { setTimeout as pause } from 'node:timers/promises';

type Kind = 'alpha' | 'beta' | 'gamma';
type Label = (kind: Kind, work: () => Promise<void>) => Promise<void>;

const [who, url, seconds] = process.argv.slice(2) as [string, string, string];
const busy: Record<Kind, () => void> = {
  alpha: function alphaWork() {
    burn(1);
  },
  beta: function betaWork() {
    burn(1);
  },
  gamma: function gammaWork() {
    burn(1);
  },
};

function burn(ms: number): void {
  const until = performance.now() + ms;
  for (let x = 0; performance.now() < until;) x += Math.sqrt(x + 1);
}

async function work(kind: Kind): Promise<void> {
  busy[kind]();
  await pause(Math.random() * 5);
  busy[kind]();
  await Promise.all([
    pause(1).then(busy[kind]),
    new Promise<void>((resolve) =>
      setImmediate(() => {
        busy[kind]();
        resolve();
      }),
    ),
    (async () => {
      await Promise.resolve();
      busy[kind]();
    })(),
  ]);
  busy[kind]();
}

const { label, finish } = await labeller(who, url);
const endAt = performance.now() + Number(seconds) * 1000;
let started = 0;
await Promise.all(
  Array.from({ length: 50 }, async () => {
    while (performance.now() < endAt) {
      const kind = (['alpha', 'beta', 'gamma'] as const)[(started += 1) % 3]!;
      await label(kind, () => work(kind));
    }
  }),
);
await finish();
console.log(JSON.stringify({ transactions: started }));
process.exit(); // a process with @pyroscope/nodejs does not end by itself

async function labeller(name: string, address: string): Promise<{ label: Label; finish: () => Promise<unknown> }> {
  if (name === 'hearth') {
    const { init, stop, transaction } = await import('@hearth/agent');
    init({ url: address, key: 'bench', service: 'bench', periodMs: 5_000, heap: 'off' });
    return { label: (kind, fn) => transaction(kind, fn), finish: stop };
  }
  const { default: Pyroscope } = await import('@pyroscope/nodejs');
  Pyroscope.init({
    appName: 'bench',
    serverAddress: address,
    flushIntervalMs: 5_000,
    wall: { collectCpuTime: true, samplingDurationMs: 60_000, samplingIntervalMicros: 10_101 },
  });
  Pyroscope.startWallProfiling();
  const finish = () => Pyroscope.stopWallProfiling();
  if (name === 'pyroscope-set') {
    return {
      finish,
      label: (kind, fn) => {
        Pyroscope.setLabels({ transaction: kind });
        return fn();
      },
    };
  }
  // Its callback may be asynchronous, but nothing waits for it: the labels are gone at its first await.
  return {
    finish,
    label: (kind, fn) =>
      new Promise((resolve, reject) => {
        Pyroscope.wrapWithLabels({ transaction: kind }, () => void fn().then(resolve, reject));
      }),
  };
}
