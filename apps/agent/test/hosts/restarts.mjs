// Starts and stops the agent several times, under load, and once more while it stops.
import { init, stop, tag, transaction } from '../../dist/index.mjs';
import { burn, pause } from './work.mjs';

transaction('before', () => tag({ a: 1 }));
for (let round = 0; round < 5; round += 1) {
  init({ periodMs: 1_000 });
  await Promise.all(
    Array.from({ length: 20 }, () =>
      transaction('round', async () => {
        burn(2);
        await pause(5);
        burn(2);
      }),
    ),
  );
  const stopped = stop();
  transaction('stopped', () => burn(1));
  await Promise.all([stopped, stop()]);
}
