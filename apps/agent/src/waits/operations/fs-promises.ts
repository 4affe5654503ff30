import { promises } from 'node:fs';
import { patchMethod, type Undo } from '../patch-method.js';
import { endWithPromise } from '../settled.js';
import type { WaitRecorder } from '../wait-recorder.js';

const FUNCTIONS = [
  'access',
  'appendFile',
  'copyFile',
  'cp',
  'link',
  'lstat',
  'mkdir',
  'mkdtemp',
  'open',
  'opendir',
  'readFile',
  'readdir',
  'readlink',
  'realpath',
  'rename',
  'rm',
  'rmdir',
  'stat',
  'statfs',
  'symlink',
  'truncate',
  'unlink',
  'utimes',
  'writeFile',
] as const;

/**
 * Node's own `cp` is made of functions of this module, which it takes out of it when it is first called: so it is called before they are ours, for a copy that its filter leaves out, which touches
 * no file. Not one that the host has put in its place.
 */
function loadCp(): void {
  if (!Function.prototype.toString.call(promises.cp).includes('lazyLoadCp')) return;
  promises.cp('', '', { filter: () => false }).catch(() => {});
}

/** Functions of `node:fs/promises` that read or write something, without its path. */
export function followFsPromises(recorder: WaitRecorder): Undo {
  loadCp();
  const undos = FUNCTIONS.map((name) =>
    patchMethod(
      promises,
      name,
      (theirs) =>
        function ours(this: unknown, ...args) {
          const wait = recorder.begin('fs', name, ours);
          return wait === undefined ? theirs.apply(this, args) : endWithPromise(recorder, wait, theirs.apply(this, args));
        },
    ),
  );
  return () => undos.forEach((undo) => undo?.());
}
