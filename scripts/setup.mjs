/**
 * Makes a checkout ready to run: dependencies installed, everything built, both only when missing or stale.
 * Runs before anything is installed, so it and scripts/setup/* import nothing but Node's own modules.
 */
import { assertNodeVersion } from './setup/node-version.mjs';
import { SetupError } from './setup/setup-error.mjs';

/**
 * Installs and builds what is missing or stale, a line for each thing it does; silent and quick when nothing is.
 * On a fault it prints one line that says what to do, and ends this process with exit code 1.
 *
 * @param {{ build?: boolean }} [options] - `build: false` installs only.
 */
export async function ensureReady({ build = true } = {}) {
  try {
    assertNodeVersion();
    // Imported only now: an old Node would stop at a name it does not know, before it could be told its age.
    const { installIfStale } = await import('./setup/install.mjs');
    await installIfStale();
    if (!build) return;
    const { buildIfStale } = await import('./setup/build-steps.mjs');
    await buildIfStale();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
