// Makes garbage in two functions, one three times as much as the other, and keeps a little. argv: what is sampled, for how many ms, and after how many again. Prints how much.
import { flush, init, stop } from '../../dist/index.mjs';
import { pause } from './work.mjs';

init({ periodMs: 1_000, heap: process.argv[2], labels: { heap: process.argv[2] } });
const kept = [];
const numbers = Array.from({ length: 30_000 }, (_, at) => at + 0.5);
/** A copy takes 8 bytes for each number, and is collected at once. */
function makeMuch() {
  return numbers.slice().length;
}
function makeLittle() {
  return numbers.slice(0, 10_000).length;
}
let bytes = 0;
const endAt = performance.now() + Number(process.argv[3]);
while (performance.now() < endAt) {
  makeMuch();
  makeLittle();
  bytes += 40_000 * 8;
  if (kept.length < 100) kept.push(numbers.slice(0, 1_000));
  await pause(Number(process.argv[4] ?? 1));
}
console.log(`bytes ${bytes} ${kept.length}`);
await flush();
await stop();
