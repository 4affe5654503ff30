import Module from 'node:module';
import { dirname, join } from 'node:path';
import { ownRequire } from '../safety/own-place.js';
import type { Guard } from '../safety/guard.js';
import { patchMethod, type Undo } from './patch-method.js';

/** A library that is followed once the host has loaded it; in each of the copies that it loads. */
export interface FollowedLibrary {
  /** Of its package: letters and digits. */
  readonly packageName: string;
  /** @param exports - Of any of its files. @returns `undefined` where it is not the one that this is for: then nothing was done. */
  follow(exports: unknown): Undo | undefined;
}

/** What one package may be loaded as, before nothing more of it is looked at: its files, in several copies. */
const MAX_LOOKED_AT = 1_000;

/**
 * Finds libraries that the host has loaded, or will: CommonJS modules pass `Module._load`, also those that an ES module imports. Nothing is
 * loaded by this, and no hook of the loader is needed. A library that is bundled into the host's own file cannot be found.
 *
 * @returns What lets go of all of them.
 */
export function followLibraries(libraries: readonly FollowedLibrary[], guard: Guard): Undo {
  const names = new Map(libraries.map((library) => [library.packageName, library]));
  const anyName = libraries.map(({ packageName }) => packageName).join('|');
  const named = new RegExp(`^(${anyName})/`); // `mysql2/promise`
  const files = new RegExp(`[\\\\/]node_modules[\\\\/](${anyName})[\\\\/]`);
  const undos: Undo[] = [];
  const lookedAt = new WeakMap<object, true>();
  let lookedAtCount = 0;

  function look(library: FollowedLibrary, exports: unknown): void {
    const isObject = (typeof exports === 'object' && exports !== null) || typeof exports === 'function';
    if (!isObject || lookedAt.has(exports) || lookedAtCount >= MAX_LOOKED_AT) return;
    const undo = library.follow(exports);
    if (undo === undefined) return; // perhaps not whole yet: modules may be loaded in a circle
    lookedAtCount += 1;
    lookedAt.set(exports, true);
    undos.push(undo);
  }
  function loaded(request: unknown, exports: unknown): void {
    if (typeof request !== 'string' || request.startsWith('.')) return;
    const name = names.has(request) ? request : (named.exec(request) ?? files.exec(request))?.[1];
    const library = name === undefined ? undefined : names.get(name);
    if (library !== undefined) guard.run(() => look(library, exports), undefined);
  }

  for (const [file, module] of Object.entries(ownRequire.cache)) {
    const library = names.get(files.exec(file)?.[1] ?? '');
    if (library !== undefined) guard.run(() => look(library, module?.exports), undefined);
  }
  const undoLoad = patchMethod(
    Module,
    '_load',
    (load) =>
      function (this: unknown, ...args) {
        const exports = load.apply(this, args);
        loaded(args[0], exports);
        return exports;
      },
  );
  return () => {
    undoLoad?.();
    for (const undo of undos.reverse()) guard.run(undo, undefined); // what was done last first
  };
}

/** What another file of a library exports, which it has loaded itself. @param file - Beside the one that has these exports, or in a folder there. */
export function exportsBeside(exports: unknown, file: string): object | undefined {
  const files = ownRequire.cache;
  const main = Object.values(files).find((module) => module?.exports === exports);
  const found: unknown = main && files[join(dirname(main.filename), file)]?.exports;
  return typeof found === 'object' && found !== null ? found : undefined;
}
