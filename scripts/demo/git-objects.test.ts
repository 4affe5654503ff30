import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeCommit, writeHead, writeIndex, writeObject, writeTree } from './git-objects.mjs';

const hasGit = spawnSync('git', ['--version']).status === 0;
const files = new Map(
  Object.entries({
    'package.json': '{}\n',
    'src/server.js': 'listen();\n',
    'src/cart/cart.js': 'é\n',
    // Sorted by bytes, a folder as if it ended in a slash: `src.js` comes before `src/`.
    'src.js': '',
    'src-old/a.js': '1\n',
  }).map(([name, text]) => [name, Buffer.from(text)]),
);

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hearth-git-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function checkOut(): { gitDir: string; second: string } {
  const gitDir = path.join(folder, '.git');
  const commit = { files, author: 'A <a@example.com>', atSeconds: 1_790_000_000 };
  const first = writeCommit(gitDir, { ...commit, parents: [], message: 'first' });
  const second = writeCommit(gitDir, { ...commit, parents: [first], message: 'second' });
  writeHead(gitDir, second);
  for (const [name, content] of files) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  writeIndex(gitDir, folder, files);
  return { gitDir, second };
}

describe('writeObject', () => {
  it('gives the SHA that git gives to the same content', () => {
    // The two SHAs that every git user has met: the empty blob and the empty tree.
    expect(writeObject(folder, 'blob', Buffer.alloc(0))).toBe('e69de29bb2d1d6434b8b29ae775ad8c2e48c5391');
    expect(writeTree(folder, new Map())).toBe('4b825dc642cb6eb9a060e54bf8d69288fbee4904');
  });
});

describe.skipIf(!hasGit)(`a repository written without git, read by git${hasGit ? '' : ' (skipped: no git)'}`, () => {
  const git = (...args: string[]) => execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' }).trim();

  it('is sound, at the SHA we computed', () => {
    const { second } = checkOut();
    expect(git('rev-parse', 'HEAD')).toBe(second);
    expect(git('rev-list', '--count', 'main')).toBe('2');
    expect(spawnSync('git', ['-C', folder, 'fsck', '--strict', '--no-dangling'], { encoding: 'utf8' })).toMatchObject({
      status: 0,
    });
  });

  it('has the trees that git itself would write', () => {
    checkOut();
    const ours = git('rev-parse', 'HEAD^{tree}');
    rmSync(path.join(folder, '.git/index'));
    git('add', '--all');
    expect(git('write-tree')).toBe(ours);
  });

  it('is clean until a file changes', () => {
    checkOut();
    expect(git('status', '--porcelain')).toBe('');
    writeFileSync(path.join(folder, 'src.js'), 'changed\n');
    expect(git('status', '--porcelain')).toContain('src.js');
  });
});
