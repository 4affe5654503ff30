// Runs @pyroscope/nodejs, whose profiler is a copy of another version of the same add-on. argv: what that one's server is
import Pyroscope from '@pyroscope/nodejs';
import { burn, pause } from './work.mjs';

Pyroscope.init({ serverAddress: process.argv[2], appName: 'beside', flushIntervalMs: 60_000, wall: { collectCpuTime: true } });
Pyroscope.start();
for (let round = 0; round < 20; round += 1) {
  Pyroscope.wrapWithLabels({ round: String(round % 2) }, () => burn(4));
  await pause(2);
}
await Pyroscope.stop();
console.log('worked beside it');
