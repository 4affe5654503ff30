// Calls handlers as Lambda does, one invocation after the other. argv: `away` if the server is.
import { init } from '../../dist/index.mjs';
import { wrapHandler } from '../../dist/lambda.mjs';
import { burn, pause } from './work.mjs';

init({ periodMs: 60_000 });
const context = (left = 3_000) => ({ functionName: 'resize', getRemainingTimeInMillis: () => left });
const resize = wrapHandler(async function resizeImage(event) {
  burn(40);
  await pause(1);
  if (event.isBad) throw new Error('of the handler');
  return { width: event.width };
});
const callingBack = wrapHandler(
  (event, _context, callBack) => void setTimeout(() => callBack(event.isBad ? 'bad' : null, event.width), 5),
  { name: 'by callback' },
);
const both = wrapHandler(async (event, _context, _callBack) => event.width, { name: 'promise after all' });
const byDefault = wrapHandler(
  (event, _context, callBack = console.error) => void setTimeout(() => callBack(null, event.width), 5),
  {
    name: 'by default parameter',
  },
);
const STREAMS = Symbol.for('aws.lambda.runtime.handler.streaming');
const decorated = wrapHandler(Object.assign(async () => 'streamed', { [STREAMS]: 'response' }));
const streaming = wrapHandler(async (event, stream, _context) => void stream.write(event.width));
const silent = wrapHandler(async () => 'silent', { name: 'not sent by itself', maxFlushMs: 0 });
const called = (handler, event) =>
  new Promise((resolve) => handler(event, context(), (error, result) => resolve([error, result])));
const written = [];
let held = 0;
async function timed(work) {
  const startedAt = performance.now();
  const result = await work();
  if (performance.now() - startedAt > 900) held += 1;
  return result;
}
const results = [
  await timed(() => resize({ width: 1 }, context())),
  await timed(() => resize({ isBad: true }, context()).catch((error) => error.message)),
  await called(callingBack, { width: 2 }),
  await called(callingBack, { isBad: true }),
  await called(byDefault, { width: 6 }),
  await both({ width: 3 }, context(), () => 'never called'),
  await streaming({ width: 4 }, { write: (value) => written.push(value) }, context()),
  await silent({}, context()),
  await timed(() => resize({ width: 5 }, context(200))), // no time left to send
];
console.log(
  JSON.stringify({ results, written, names: [resize.name, resize.length, callingBack.length, decorated[STREAMS]], held }),
);
if (process.argv[2] === 'away') process.exit(0);
process.kill(process.pid, 'SIGKILL'); // frozen, and never thawed: what was not sent is lost
