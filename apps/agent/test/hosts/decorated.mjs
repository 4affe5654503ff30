// Calls the decorated methods of a class that a compiler has made; the module that exports it is the argument.
import { flush, init, stop } from '../../dist/index.mjs';

init({ periodMs: 1_000 });
const { Reports } = await import(process.argv[2]);
class Monthly extends Reports {}

const reports = new Reports('report');
const results = [
  await reports.build(2),
  await new Monthly('month').build(1),
  reports.send('a'),
  reports.send('b'),
  Reports.refresh(),
  await reports.fail().catch((error) => error.message),
];
await flush();
await stop();
console.log(JSON.stringify({ results, looks: [reports.build.name, reports.build.length] }));
