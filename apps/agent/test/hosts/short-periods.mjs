// Ends when its work ends, in the midst of short periods. argv: for how many ms it works; `numbers`: with timers that return numbers, as browsers' do
import { init } from '../../dist/index.mjs';

init({ periodMs: 1_000 });
const { setTimeout: laterOfNode, setImmediate: soonOfNode } = globalThis;
if (process.argv[3] === 'numbers') {
  globalThis.setTimeout = (...args) => Number(laterOfNode(...args));
  globalThis.setImmediate = (...args) => (soonOfNode(...args), 1);
}
laterOfNode(() => console.log('done'), Number(process.argv[2]));
