// What counting calls costs a host, by the commands that the agent gives V8: CPU of three kinds of work before, while it counts, and after. By hand only.
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import ts from 'typescript';
import { pause } from './work.mjs';

const code = readFileSync(new URL('./waits.mjs', import.meta.url), 'utf8');
function step(x) {
  return (x * 3 + 1) % 7;
}
const WORK = {
  'inlined calls': () => {
    let sum = 0;
    for (let at = 0; at < 1_000_000; at += 1) sum += step(at);
    return sum;
  },
  transpile: () => ts.transpileModule(code, { compilerOptions: { target: 99 } }),
  json: () => JSON.parse(JSON.stringify(Array.from({ length: 2_000 }, (_, at) => ({ at, text: `text ${at}` })))),
};
function cpuMs(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
async function phase(ms) {
  const times = Object.fromEntries(Object.keys(WORK).map((name) => [name, []]));
  const endAt = performance.now() + ms;
  while (performance.now() < endAt) {
    for (const [name, work] of Object.entries(WORK)) times[name].push(cpuMs(work));
    await pause(2);
  }
  const median = (all) => all.sort((a, b) => a - b)[all.length >> 1].toFixed(1);
  return Object.entries(times)
    .map(([name, all]) => `${name} ${median(all)} ms`)
    .join(', ');
}
const ballast = Array.from({ length: Number(process.argv[2] ?? 0) * 7_000 }, (_, at) => ({
  at,
  list: [at, at + 1],
  text: `text ${at}`,
}));

const session = new Session();
session.connect();
const timed = (method, parameters) => {
  const from = performance.now();
  session.post(method, parameters);
  return `${method} ${(performance.now() - from).toFixed(1)} ms`;
};
await phase(4_000);
console.log(process.version, Math.round(process.memoryUsage().heapUsed / 1e6), 'MB of heap');
console.log('before:', await phase(4_000));
console.log(timed('Profiler.enable'), timed('Profiler.startPreciseCoverage', { callCount: true, detailed: false }));
console.log('during:', await phase(4_000));
console.log(timed('Profiler.takePreciseCoverage'));
session.disconnect();
console.log('the first second after:', await phase(1_000));
for (let at = 4; at <= 20; at += 4) console.log(`the four seconds before second ${at} after:`, await phase(4_000));
console.log(ballast.length, Math.round(process.memoryUsage().heapUsed / 1e6), 'MB');
