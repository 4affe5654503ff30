import { SetupError } from './setup-error.mjs';

const OLDEST = [20, 19];

/** @throws {SetupError} on a Node that is too old. */
export function assertNodeVersion(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new SetupError(
    `Hearth needs Node ${OLDEST.join('.')} or newer; this is ${version} (${process.execPath}). Install a newer one from https://nodejs.org and try again.`,
  );
}
