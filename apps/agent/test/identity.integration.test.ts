import { createHook } from 'node:async_hooks';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isWorkTreeDirty } from '../src/identity/git-dirty.js';
import { findGitFolders, readGitHead } from '../src/identity/git-revision.js';
import { findIdentity, mainScriptDir } from '../src/identity/service-identity.js';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'hearth-identity-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

const NOTHING_GIVEN = { service: '', revisionOption: '', revisionVariable: '' };

/** Runs git with nothing of this machine's configuration. @returns What it prints. */
function git(cwd: string, ...args: string[]): string {
  const env = {
    PATH: process.env['PATH'],
    GIT_CONFIG_NOSYSTEM: '1',
    HOME: folder,
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@b',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@b',
  };
  return execFileSync('git', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** A repository with one commit: package.json and src/main.js. */
function repository(name = 'repo'): string {
  const dir = path.join(folder, name);
  mkdirSync(path.join(dir, 'src'), { recursive: true });
  writeFileSync(path.join(dir, 'package.json'), '{"name":"shop","version":"2.0.1"}');
  writeFileSync(path.join(dir, 'src/main.js'), 'main()');
  git(dir, 'init', '-q', '-b', 'main');
  git(dir, 'add', '.');
  git(dir, 'commit', '-q', '-m', 'first');
  return dir;
}
const headOf = (dir: string): string | undefined => readGitHead(findGitFolders(dir)!);

describe('readGitHead', () => {
  it('reads a branch, packed refs, a detached HEAD and a branch with slashes, as git does', () => {
    const dir = repository();
    const head = git(dir, 'rev-parse', 'HEAD');
    expect(headOf(path.join(dir, 'src'))).toBe(head);
    git(dir, 'pack-refs', '--all');
    expect(headOf(dir)).toBe(head);
    git(dir, 'checkout', '-q', '-b', 'feature/a.b');
    git(dir, 'commit', '-q', '--allow-empty', '-m', 'second');
    expect(headOf(dir)).toBe(git(dir, 'rev-parse', 'HEAD'));
    expect(headOf(dir)).not.toBe(head);
    git(dir, 'checkout', '-q', '--detach', head);
    expect(headOf(dir)).toBe(head);
  });

  it('reads a worktree, whose branches are in the repository', () => {
    const dir = repository();
    const worktree = path.join(folder, 'worktree');
    git(dir, 'worktree', 'add', '-q', '-b', 'candidate', worktree);
    git(worktree, 'commit', '-q', '--allow-empty', '-m', 'candidate');
    expect(headOf(worktree)).toBe(git(worktree, 'rev-parse', 'HEAD'));
    git(dir, 'pack-refs', '--all');
    expect(headOf(worktree)).toBe(git(worktree, 'rev-parse', 'HEAD'));
    expect(findGitFolders(worktree)!.workTree).toBe(worktree);
  });

  it('gives nothing before the first commit, outside of a repository, and for a HEAD that leads out of it', () => {
    const dir = path.join(folder, 'empty');
    mkdirSync(dir);
    expect(findGitFolders(dir)).toBeUndefined();
    git(dir, 'init', '-q');
    expect(headOf(dir)).toBeUndefined();
    writeFileSync(path.join(dir, '.git/HEAD'), 'ref: refs/../../../secret');
    writeFileSync(path.join(folder, 'secret'), 'a'.repeat(40));
    expect(headOf(dir)).toBeUndefined();
  });
});

describe('isWorkTreeDirty', () => {
  const isDirty = (dir: string): Promise<boolean> => isWorkTreeDirty(findGitFolders(dir)!);

  it('sees a changed and a deleted file, not a touched or an untracked one', async () => {
    const dir = repository();
    const file = path.join(dir, 'src/main.js');
    expect(await isDirty(dir)).toBe(false);
    utimesSync(file, 1, 1);
    writeFileSync(path.join(dir, 'untracked'), '');
    expect(await isDirty(dir)).toBe(false);
    writeFileSync(file, 'niam()');
    utimesSync(file, 1, 1);
    expect(await isDirty(dir)).toBe(true);
    writeFileSync(file, 'main()');
    expect(await isDirty(dir)).toBe(false);
    renameSync(file, `${file}.moved`);
    expect(await isDirty(dir)).toBe(true);
  });

  /** Of as many files, of which half are read. */
  const manyFiles = (count: number): string => {
    const dir = repository();
    for (let at = 0; at < count; at += 1) writeFileSync(path.join(dir, `file-${at}`), String(at));
    git(dir, 'add', '.');
    for (let at = 0; at < count; at += 2) utimesSync(path.join(dir, `file-${at}`), 1, 1);
    return dir;
  };

  it('asks the thread pool for the index, and not for each file', async () => {
    const dir = manyFiles(600); // few enough for the time that it has on the thread, also where the machine does other things meanwhile
    let asked = 0;
    const hook = createHook({ init: (_id, type) => void (asked += type === 'FSREQPROMISE' ? 1 : 0) }).enable();
    expect(await isDirty(dir)).toBe(false);
    hook.disable();
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(100);
  });

  it('looks at many files in many turns of the event loop', async () => {
    const dir = manyFiles(3_000);
    const turnsMicros: number[] = []; // of CPU: what others take of the machine meanwhile is not ours
    let [before, isDone] = [process.cpuUsage(), false];
    const turn = (): void => {
      const { user, system } = process.cpuUsage(before);
      turnsMicros.push(user + system);
      before = process.cpuUsage();
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    expect(await isDirty(dir)).toBe(false);
    isDone = true;
    // Those in which something was done; all files in one of them makes five, most of them of the index.
    expect(turnsMicros.filter((micros) => micros > 300).length).toBeGreaterThan(8);
  });

  it('reads no more than 64 MiB, and nothing of a repository with SHA-256', async () => {
    const dir = repository();
    const files = Array.from({ length: 17 }, (_, at) => path.join(dir, `large-${String(at).padStart(2, '0')}`));
    for (const file of files) writeFileSync(file, Buffer.alloc(4 * 1024 * 1024));
    git(dir, 'add', '.');
    for (const file of files) utimesSync(file, 1, 1);
    writeFileSync(path.join(dir, 'src/main.js'), 'changed'); // after them in the order of the index
    expect(await isDirty(dir)).toBe(false);
    utimesSync(files[0]!, 1, 1);
    git(dir, 'add', '.');
    writeFileSync(path.join(dir, 'src/main.js'), 'changed again');
    expect(await isDirty(dir)).toBe(true);

    const other = path.join(folder, 'sha256');
    mkdirSync(other);
    git(other, 'init', '-q', '--object-format=sha256');
    writeFileSync(path.join(other, 'a'), 'a');
    git(other, 'add', '.');
    git(other, 'commit', '-q', '-m', 'first');
    writeFileSync(path.join(other, 'a'), 'changed');
    expect(headOf(other)).toHaveLength(64);
    expect(await isDirty(other)).toBe(false);
  });

  it('works in a worktree', async () => {
    const dir = repository();
    const worktree = path.join(folder, 'worktree');
    git(dir, 'worktree', 'add', '-q', '-b', 'candidate', worktree);
    expect(await isDirty(worktree)).toBe(false);
    writeFileSync(path.join(worktree, 'src/main.js'), 'other');
    expect(await isDirty(worktree)).toBe(true);
    expect(await isDirty(dir)).toBe(false);
  });
});

describe('findIdentity', () => {
  it('takes option, variable, REVISION file, git and package.json in this order', () => {
    const dir = repository();
    const src = path.join(dir, 'src');
    const given = { ...NOTHING_GIVEN, revisionOption: 'option', revisionVariable: 'variable' };
    const found = (identity = NOTHING_GIVEN) => {
      const { revision, revisionSource } = findIdentity(identity, src);
      return [revisionSource, revision];
    };
    expect(found(given)).toEqual(['option', 'option']);
    expect(found({ ...given, revisionOption: '' })).toEqual(['environment', 'variable']);
    writeFileSync(path.join(dir, 'REVISION'), 'from-file\n');
    expect(found()).toEqual(['file', 'from-file']);
    rmSync(path.join(dir, 'REVISION'));
    expect(found()).toEqual(['git', git(dir, 'rev-parse', 'HEAD')]);
    rmSync(path.join(dir, '.git'), { recursive: true });
    expect(found()).toEqual(['package', '2.0.1']);
    writeFileSync(path.join(dir, 'package.json'), '{"name":"shop","gitHead":"abc"}');
    expect(found()).toEqual(['package', 'abc']);
    writeFileSync(path.join(dir, 'package.json'), 'not json');
    expect(found()).toEqual(['', '']);
  });

  it('names the service after its package and roots it at its repository', () => {
    const dir = repository();
    const build = path.join(dir, 'services/api/dist');
    mkdirSync(build, { recursive: true });
    writeFileSync(path.join(dir, 'services/api/package.json'), '{"name":"@acme/api","version":"1.0.0"}');
    writeFileSync(path.join(build, 'package.json'), '{"type":"commonjs"}');
    expect(findIdentity(NOTHING_GIVEN, build)).toMatchObject({ service: '@acme/api', version: '1.0.0', rootDir: dir });
    expect(findIdentity({ ...NOTHING_GIVEN, service: 'given' }, build).service).toBe('given');
    rmSync(path.join(dir, '.git'), { recursive: true });
    expect(findIdentity(NOTHING_GIVEN, build).rootDir).toBe(path.join(dir, 'services/api'));
    const bare = path.join(folder, 'bare');
    mkdirSync(bare);
    expect(findIdentity(NOTHING_GIVEN, bare)).toMatchObject({ service: 'bare', rootDir: '', revision: '' });
  });

  it('takes a repository that cannot be read as none, and a working directory that is gone as the root', () => {
    const dir = path.join(folder, 'odd');
    mkdirSync(path.join(dir, '.git'), { recursive: true });
    symlinkSync('HEAD', path.join(dir, '.git/HEAD'));
    expect(findGitFolders(dir)).toBeUndefined();
    rmSync(path.join(dir, '.git'), { recursive: true });
    symlinkSync('.git', path.join(dir, '.git'));
    expect(findIdentity(NOTHING_GIVEN, dir)).toMatchObject({ service: 'odd', rootDir: '' });
    const gone = (): string => {
      throw new Error('ENOENT: uv_cwd');
    };
    expect(mainScriptDir(['node'], gone)).toBe(path.parse(folder).root);
  });

  it('starts at the script, or at the working directory for a tool in node_modules', () => {
    const dir = repository();
    expect(mainScriptDir(['node', path.join(dir, 'src/main.js')], () => '/cwd')).toBe(path.join(dir, 'src'));
    const tool = path.join(dir, 'node_modules/tool');
    mkdirSync(tool, { recursive: true });
    writeFileSync(path.join(tool, 'run.js'), '');
    expect(mainScriptDir(['node', path.join(tool, 'run.js')], () => '/cwd')).toBe('/cwd');
    expect(mainScriptDir(['node', dir], () => '/cwd')).toBe(dir); // `node .`
    expect(mainScriptDir(['node'], () => '/cwd')).toBe('/cwd');
    expect(mainScriptDir(['node', '/does/not/exist.js'], () => '/cwd')).toBe('/cwd');
  });
});
