// Calls functions of each kind a known number of times while the agent counts, and before and after. argv: for how long it goes on after the counted ones, in ms; `late`: blocks itself while the agent counts.
import { init, measure } from '../../dist/index.mjs';
import { helperCalls } from './calls-library.cjs';
import { burn, pause } from './work.mjs';

let isCounting;
const counting = new Promise((resolve) => (isCounting = resolve));
const said = [];
init({
  periodMs: 1_000,
  heap: process.argv[2] === 'late' ? 'allocations' : 'in-use',
  logger: {
    info: (line) => line.includes('AGENT_COUNTS_CALLS') && isCounting(),
    warn: (line) => said.push(/\[(\w+)\]$/.exec(line)?.[1]) && isCounting(),
  },
});

function inlined(x) {
  return x * 2 + 1;
}
function caller(x) {
  return inlined(x) + inlined(x + 1);
}
const arrow = (x) => x + 1;
class Cart {
  constructor() {
    this.sum = 0;
  }
  add(x) {
    this.sum += x;
    burn(0.3);
    return this.#round();
  }
  #round() {
    return Math.round(this.sum);
  }
  get total() {
    return this.sum;
  }
}
async function awaits() {
  await Promise.resolve();
}
function* yields() {
  yield 1;
}
function sometimes() {
  return burn(0.01);
}

function callAll(times) {
  let sum = 0;
  for (let at = 0; at < times; at += 1) sum += caller(at) + arrow(at);
  for (let at = 0; at < 300; at += 1) {
    const cart = new Cart();
    sum += cart.add(at) + cart.total;
  }
  return sum + helperCalls(times);
}
for (let round = 0; round < 5; round += 1) callAll(20_000); // V8 optimises them
measure('work', () => sometimes());
const alive = setInterval(() => {}, 1_000); // the agent keeps no process alive
await counting;
clearInterval(alive);
if (process.argv[2] === 'late') burn(2_000);
let sum = callAll(12_345);
for (let at = 0; at < 10; at += 1) {
  await awaits();
  sum += [...yields()].length;
}
await pause(Number(process.argv[2]) || 1_200);
sum += callAll(777);
console.log(`${sum > 0} ${said.join()}`);
