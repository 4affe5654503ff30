// Ends a period every tenth of a second, and itself in the way it is told on standard input; says how many transactions it made.
// argv: bytes of the ring
import { flush, init, stop, transaction } from '../../dist/index.mjs';
import { burn, pause } from './work.mjs';

init({ maxBufferedBytes: Number(process.argv[2] ?? 1_000_000) });
let ending = '';
process.stdin.setEncoding('utf8').on('data', (text) => {
  ending = text.trim();
});
let count = 0;
while (ending === '') {
  transaction('counted', () => burn(1));
  count += 1;
  await pause(10);
  if (count % 10 === 0) void flush();
}
console.log(`count ${count}`);
if (ending === 'exit') process.exit(4);
if (ending === 'throw')
  setTimeout(() => {
    throw new Error('of the host');
  });
if (ending === 'stop') await stop();
process.stdin.destroy();
