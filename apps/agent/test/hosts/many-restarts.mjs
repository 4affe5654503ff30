// Starts and stops the agent very often. argv: how often. Prints what is left of it.
import { init, stop, transaction } from '../../dist/index.mjs';
import { pause } from './work.mjs';

const events = ['SIGTERM', 'beforeExit', 'exit', 'newListener', 'removeListener', 'uncaughtException', 'unhandledRejection'];
const listeners = () => events.map((event) => process.listenerCount(event)).join();
const open = () => process.getActiveResourcesInfo().filter((name) => !/^(Pipe|TTY)Wrap$/.test(name));
const before = listeners();
const hostEmit = process.emit;
for (let round = 0; round < Number(process.argv[2]); round += 1) {
  init({ logger: { info() {}, warn: (line) => console.log(line) } });
  transaction('round', () => {});
  await stop();
}
for (let waited = 0; open().length > 0 && waited < 50; waited += 1) await new Promise(setImmediate); // connections are closing
console.log(`listeners ${listeners() === before}, emit ${process.emit === hostEmit}, open ${open().join() || 'nothing'}`);
await pause(0);
