// Works on two lines, one three times as long as the other, in transactions that are tagged late. argv: for how many ms.
import { init, tag, transaction } from '../../dist/index.mjs';
import { pause } from './work.mjs';

init({ periodMs: 1_000 });
function price(x) {
  for (let at = 0; at < 900_000; at += 1) x += Math.sqrt(x + at); // line 7
  for (let at = 0; at < 300_000; at += 1) x += Math.sqrt(x + at); // line 8
  return x;
}
let [runs, sum] = [0, 0];
const endAt = performance.now() + Number(process.argv[2]);
// Called anew each time: a loop that never returns is compiled while it runs, and of such code V8 may tell no lines.
async function serve() {
  await transaction('checkout', async () => {
    sum += price(runs);
    await pause(2);
    tag({ plan: 'pro' });
  });
  runs += 1;
  if (performance.now() < endAt) setImmediate(serve);
  else console.log(`runs ${runs} ${sum > 0}`);
}
void serve();
