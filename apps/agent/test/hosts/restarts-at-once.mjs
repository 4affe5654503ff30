// Starts the agent anew while the one before is still stopping. Prints what is left of it in the process.
import { init, stop } from '../../dist/index.mjs';

const hostEmit = process.emit;
const events = ['SIGTERM', 'beforeExit', 'exit', 'newListener', 'removeListener'];
const listeners = () => events.map((event) => process.listenerCount(event)).join();
const before = listeners();
init();
const ended = new Promise((resolve) => process.once('SIGTERM', resolve)); // Node binds process.emit to the signal now
await Promise.resolve();
const ofOne = listeners();
for (let round = 0; round < 5; round += 1) {
  void stop();
  init();
}
const ofMany = listeners();
await stop();
const alive = setInterval(() => {}, 1_000); // to wait for a signal keeps no process alive
process.kill(process.pid, 'SIGTERM');
await ended;
clearInterval(alive);
console.log(`emit ${process.emit === hostEmit}, while it runs ${ofOne === ofMany}, after it ${listeners() === before}`);
