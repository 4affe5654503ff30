// Is made a bundle of, with the agent in it or beside it.
import { init, stop, transaction } from '@hearth/agent';

function bundledWork() {
  const until = performance.now() + 5;
  while (performance.now() < until);
}
init();
for (let round = 0; round < 20; round += 1) transaction('bundled', bundledWork);
void stop().then(() => console.log('bundled host'));
