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

/** Functions of `node:fs/promises` that read or write something, without its path. */
export function followFsPromises(recorder: WaitRecorder): Undo {
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
