// Works while the agent is stopped, between two starts.
import { init, stop, transaction } from '../../dist/index.mjs';
import { burn } from './work.mjs';

function betweenWork() {
  burn(300);
}
for (let round = 0; round < 2; round += 1) {
  init();
  transaction('round', () => burn(100));
  await stop();
  betweenWork();
}
