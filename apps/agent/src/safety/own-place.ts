import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findServicePackage } from '../identity/package-json.js';

/** `undefined` in a CommonJS bundle that a host has made of this module. */
const knownUrl: string | undefined = import.meta.url;

// Not imported: webpack puts something of its own in the place of an imported `createRequire`.
const { createRequire } = process.getBuiltinModule('node:module');

/** Loads what the agent depends on, from where its code lies: its own folder, or the bundle of a host. */
export const ownRequire = createRequire(
  knownUrl ?? pathToFileURL(typeof __filename === 'string' ? __filename : process.execPath),
);

/**
 * The folder of a module of the agent, which holds nothing else; `undefined` where a host's bundle has taken the agent in.
 *
 * @param moduleUrl - `import.meta.url`, which is `undefined` in a CommonJS bundle.
 */
export function ownFolder(moduleUrl: string | undefined): string | undefined {
  if (moduleUrl === undefined) return undefined;
  const folder = dirname(fileURLToPath(moduleUrl));
  return findServicePackage(folder)?.name === '@hearth/agent' ? folder : undefined;
}
