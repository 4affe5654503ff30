/**
 * npm run demo: Hearth and a small shop in two releases, under load, compared. Says where to look and keeps running.
 *
 *   npm run demo -- --exit --json    ends by itself; the last line is one line of JSON (docs/demo.md)
 *   PORT=5000 npm run demo           on a port of your choice
 */
import { ensureReady } from './setup.mjs';

const options = process.argv.slice(2);
const unknown = options.filter((option) => !['--exit', '--json'].includes(option));
if (unknown.length > 0) {
  console.error(`unknown option ${unknown[0]}; there are --exit (end after the comparison) and --json (print its figures)`);
  process.exit(2);
}
await ensureReady();
// Imported only now: an old Node has been told so by ensureReady.
const { runDemo } = await import('./demo/run-demo.mjs');
await runDemo({ exit: options.includes('--exit'), json: options.includes('--json') });
