// Has the debugger and precise coverage on, in sessions of its own, while the agent looks up where handlers stand; prints whether what it holds is as it was.
import { Session } from 'node:inspector/promises';
import { flush, init, stop, transaction } from '../../dist/index.mjs';
import { burn, pause } from './work.mjs';

init({ periodMs: 1_000 });
const [debugging, counting] = [new Session(), new Session()];
let pauses = 0;
debugging.on('Debugger.paused', () => {
  pauses += 1;
});
debugging.connect();
counting.connect();
await debugging.post('Runtime.enable');
await debugging.post('Debugger.enable');
await debugging.post('Debugger.setPauseOnExceptions', { state: 'all' });
await counting.post('Profiler.enable');
await counting.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
const { result } = await debugging.post('Runtime.evaluate', { expression: '({ held: 7 })' });

let calls = 0;
function countedWork() {
  calls += 1;
  burn(1);
}
const keys = Reflect.ownKeys(globalThis).length;
const endAt = performance.now() + 3_000;
while (performance.now() < endAt) {
  await transaction('job', async () => countedWork());
  await pause(5);
}
const { result: properties } = await debugging.post('Runtime.getProperties', {
  objectId: result.objectId,
  ownProperties: true,
});
const { result: scripts } = await counting.post('Profiler.takePreciseCoverage');
const counted = scripts.flatMap(({ functions }) => functions).find(({ functionName }) => functionName === 'countedWork');
console.log(
  JSON.stringify({
    held: properties.find(({ name }) => name === 'held').value.value,
    isCounted: counted.ranges[0].count === calls,
    isGlobalAsBefore: Reflect.ownKeys(globalThis).length === keys,
    pauses,
  }),
);
await flush();
await stop();
