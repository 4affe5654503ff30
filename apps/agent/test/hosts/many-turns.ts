// Two native profilers take turns beneath concurrent transactions, one of which lives across all of it. Is made a bundle of, because the package exports none of this.
// argv: turns, milliseconds between two, seconds at most. Says what was sampled, as JSON.
import { NativeSampler } from '../../src/samplers/native-sampler.js';
import { StackTables } from '../../src/samplers/stack-tables.js';
import { threadCpuNanos } from '../../src/samplers/thread-cpu.js';
import { TransactionTracker } from '../../src/transactions/transaction-tracker.js';

const [turns, everyMs, mostSeconds] = process.argv.slice(2).map(Number) as [number, number, number];
const sampler = new NativeSampler(99);
const tracker = new TransactionTracker(sampler.wiring);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
function burn(ms: number): number {
  const until = performance.now() + ms;
  let x = 0;
  while (performance.now() < until) x += Math.sqrt(x + 1);
  return x;
}
const works: Readonly<Record<string, () => void>> = {
  alpha: function alphaWork() {
    burn(1);
  },
  beta: function betaWork() {
    burn(1);
  },
  gamma: function gammaWork() {
    burn(1);
  },
  long: function longWork() {
    burn(0.5);
  },
};

const seen = { turns: 0, checked: 0, wrong: 0, raw: { usual: 0, raised: 0 }, ms: { usual: 0, raised: 0 } };
const sums = { count: 0, wallMicros: 0, cpuMicros: 0 };
let isOver = false;

async function client(kind: string): Promise<void> {
  while (!isOver) {
    const transaction = tracker.begin('custom', kind, []);
    await tracker.wiring.run(transaction, async () => {
      works[kind]!();
      await pause(Math.random() * 20);
      works[kind]!();
      await Promise.all([pause(1).then(works[kind]), Promise.resolve().then(works[kind])]);
    });
    tracker.end(transaction, 'ok');
    await pause(20);
  }
}

/** One transaction across all turns. */
async function longClient(): Promise<void> {
  await tracker.wiring.run(tracker.begin('custom', 'long', []), async () => {
    while (!isOver) {
      works['long']!();
      await pause(5);
    }
  });
}

let endedAt = 0;
function endPeriod(): void {
  const tables = new StackTables();
  const rate = sampler.samplingHz === sampler.rateHz ? 'usual' : 'raised';
  const { rows } = sampler.endPeriod(tables, false, () => (seen.raw[rate] += 1));
  const now = performance.now();
  seen.ms[rate] += now - endedAt;
  endedAt = now;
  for (const { stackRow, scope, count, wallMicros, cpuMicros } of rows) {
    sums.count += count;
    sums.wallMicros += wallMicros;
    sums.cpuMicros += cpuMicros ?? 0;
    const [frames = []] = tables.framesRootFirst([stackRow]);
    const kind = frames.map(({ name }) => /^(\w+)Work$/.exec(name)?.[1]).find((name) => name !== undefined);
    if (kind === undefined) continue;
    seen.checked += 1;
    if (scope?.transaction?.name !== kind) seen.wrong += 1;
  }
  tracker.endPeriod();
}

sampler.start();
const clients = Array.from({ length: 8 }, (_, at) => client(['alpha', 'beta', 'gamma'][at % 3]!));
clients.push(longClient());
await pause(20);
endPeriod();
Object.assign(sums, { count: 0, wallMicros: 0, cpuMicros: 0 });
const [beganAt, cpuNanos] = [performance.now(), threadCpuNanos()];
while (seen.turns < turns && performance.now() - beganAt < mostSeconds * 1_000) {
  await pause(everyMs);
  if (seen.turns % 2 === 0) sampler.raiseRate(499);
  else sampler.lowerRate();
  endPeriod();
  seen.turns += 1;
  if (seen.turns % 50 === 0) (globalThis as { gc?: () => void }).gc?.();
}
await pause(10);
endPeriod();
const elapsedMs = performance.now() - beganAt;
const cpuMs = (threadCpuNanos() - cpuNanos) / 1e6;
isOver = true;
await Promise.all(clients);
const { wallMicros, cpuMicros, count } = sums;
const shares = { wall: wallMicros / 1_000 / elapsedMs, cpu: cpuMicros / 1_000 / cpuMs, count: count / (elapsedMs * 0.099) };
const mb = Math.round(process.memoryUsage().rss / 1e6);
console.log(JSON.stringify({ wiring: sampler.wiring.name, ...seen, shares, mb, seconds: Math.round(elapsedMs / 1_000) }));
