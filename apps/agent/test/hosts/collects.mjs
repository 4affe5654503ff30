// Fills the heap with garbage, has it collected, and fills it again before the period ends.
import { flush, init, stop } from '../../dist/index.mjs';
import { pause } from './work.mjs';

init({ periodMs: 1_000 });
let garbage = [];
const fill = () => (garbage = Array.from({ length: 200 }, (_, row) => Array.from({ length: 10_000 }, (__, at) => row + at / 7)));
fill();
garbage = [];
globalThis.gc();
await pause(50);
fill();
await pause(1_500);
console.log(garbage.length);
await flush();
await stop();
