import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../root.mjs';
import { writeCommit, writeHead, writeIndex } from './git-objects.mjs';

const SHOP = path.join(root, 'examples/shop');
const AUTHOR = 'Hearth Shop <shop@example.com>';
/** 2026-11-16 and 2026-11-19, 09:00 UTC: fixed, so that the same sources always get the same SHAs. */
const COMMITS = [
  { version: '1.4.0', atSeconds: 1_794_819_600, message: 'Release 1.4.0' },
  { version: '1.5.0', atSeconds: 1_795_078_800, message: 'Release 1.5.0: all couriers for premium customers, quicker search' },
];

/**
 * Lays out both releases of the shop as checkouts of one small repository, below `folder`, which is emptied first.
 * Each has its own `.git`, whose SHA the agent discovers as it would anywhere. Without git: see git-objects.mjs.
 *
 * @returns {{ version: string, sha: string, folder: string }[]} The baseline, then the candidate.
 */
export function layOutReleases(folder) {
  rmSync(folder, { recursive: true, force: true });
  const releases = [];
  const history = [];
  for (const { version, atSeconds, message } of COMMITS) {
    const files = filesOf(version);
    const checkout = path.join(folder, version);
    const gitDir = path.join(checkout, '.git');
    // A checkout carries the commits before its own too.
    if (releases.length > 0)
      cpSync(path.join(releases.at(-1).folder, '.git/objects'), path.join(gitDir, 'objects'), { recursive: true });
    const sha = writeCommit(gitDir, { files, parents: history.slice(-1), author: AUTHOR, atSeconds, message });
    writeHead(gitDir, sha);
    for (const [name, content] of files) {
      mkdirSync(path.dirname(path.join(checkout, name)), { recursive: true });
      writeFileSync(path.join(checkout, name), content);
    }
    writeIndex(gitDir, checkout, files);
    history.push(sha);
    releases.push({ version, sha, folder: checkout });
  }
  return releases;
}

/** Release 1.5.0 is 1.4.0 with the files of next-release/ in their places, and without the file that moved. */
function filesOf(version) {
  const files = new Map();
  const manifest = JSON.parse(readFileSync(path.join(SHOP, 'package.json'), 'utf8'));
  files.set('package.json', Buffer.from(`${JSON.stringify({ ...manifest, version }, null, 2)}\n`));
  addFolder(files, SHOP, 'src');
  addFolder(files, SHOP, 'templates');
  if (version === COMMITS[1].version) {
    addFolder(files, path.join(SHOP, 'next-release'), 'src');
    files.delete('src/catalog/related-products.js');
  }
  return files;
}

function addFolder(files, from, folder) {
  for (const entry of readdirSync(path.join(from, folder), { withFileTypes: true })) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) addFolder(files, from, name);
    else files.set(name, readFileSync(path.join(from, name)));
  }
}
