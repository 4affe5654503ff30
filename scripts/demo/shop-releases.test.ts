import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layOutReleases } from './shop-releases.mjs';

const hasGit = spawnSync('git', ['--version']).status === 0;
let folder = '';
let releases: { version: string; sha: string; folder: string }[] = [];
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hearth-releases-'));
  releases = layOutReleases(folder);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('layOutReleases', () => {
  it('gives each release its own SHA, the same every time', () => {
    const [baseline, candidate] = releases;
    expect(baseline!.sha).toMatch(/^[0-9a-f]{40}$/);
    expect(candidate!.sha).not.toBe(baseline!.sha);
    expect(layOutReleases(folder).map(({ sha }) => sha)).toEqual(releases.map(({ sha }) => sha));
  });

  it('moves a file, and lets the rest of it as it was', () => {
    const [baseline, candidate] = releases.map((release) => release.folder);
    const moved = (text: string) => text.replace(/^import .*$/gm, '');
    const before = readFileSync(path.join(baseline!, 'src/catalog/related-products.js'), 'utf8');
    expect(existsSync(path.join(candidate!, 'src/catalog/related-products.js'))).toBe(false);
    expect(moved(readFileSync(path.join(candidate!, 'src/recommendations/related-products.js'), 'utf8'))).toBe(moved(before));
  });

  it('inserts nothing but comment lines at the top of the catalog page', () => {
    const [before, after] = releases.map((release) =>
      readFileSync(path.join(release.folder, 'src/catalog/catalog-page.js'), 'utf8'),
    );
    expect(after!.endsWith(before!)).toBe(true);
    expect(after!.slice(0, -before!.length)).toMatch(/^(\/\/.*\n)+\n$/);
  });

  it.skipIf(!hasGit)(
    `makes checkouts that git finds sound and clean, one commit apart${hasGit ? '' : ' (skipped: no git)'}`,
    () => {
      const [baseline, candidate] = releases;
      const git = (...args: string[]) => spawnSync('git', ['-C', candidate!.folder, ...args], { encoding: 'utf8' });
      expect(git('fsck', '--strict').status).toBe(0);
      expect(git('rev-parse', 'HEAD', 'HEAD~1').stdout.trim().split('\n')).toEqual([candidate!.sha, baseline!.sha]);
      expect(git('status', '--porcelain').stdout).toBe('');
      expect(git('diff', '--name-status', '-M', 'HEAD~1').stdout).toMatch(
        /^R\d+\tsrc\/catalog\/related-products.js\tsrc\/recommendations\/related-products.js$/m,
      );
    },
  );
});
