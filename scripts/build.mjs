/** npm run build: installs and builds what is stale; `-- --force` builds everything again. */
import { ensureReady } from './setup.mjs';

const force = process.argv.includes('--force');
await ensureReady({ build: !force });
if (force) {
  const { buildIfStale } = await import('./setup/build-steps.mjs');
  await buildIfStale({ force: true });
}
