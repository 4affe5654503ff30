/**
 * Writes a small git repository without git: a newcomer's machine may have none, and the demo's releases must stand at
 * real SHAs. Loose objects, a branch and an index, as gitformat-index(5) and "Git Objects" of the Git book give them.
 */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deflateSync } from 'node:zlib';

const FILE_MODE = '100644';
const FOLDER_MODE = '40000';

/**
 * Stores one object.
 *
 * @param {string} gitDir
 * @param {'blob' | 'tree' | 'commit'} type
 * @param {Buffer} content
 * @returns {string} Its SHA, 40 hexadecimal digits: that of the header and the content.
 */
export function writeObject(gitDir, type, content) {
  const bytes = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
  const sha = createHash('sha1').update(bytes).digest('hex');
  const file = path.join(gitDir, 'objects', sha.slice(0, 2), sha.slice(2));
  if (!existsSync(file)) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, deflateSync(bytes), { mode: 0o444 });
  }
  return sha;
}

/**
 * Stores files as trees and blobs.
 *
 * @param {ReadonlyMap<string, Buffer>} files - Content by path, with slashes.
 * @returns {string} SHA of the root tree.
 */
export function writeTree(gitDir, files) {
  const folders = new Map();
  const entries = [];
  for (const [name, content] of files) {
    const slash = name.indexOf('/');
    if (slash === -1) {
      entries.push({ mode: FILE_MODE, name, sha: writeObject(gitDir, 'blob', content) });
    } else {
      const folder = name.slice(0, slash);
      if (!folders.has(folder)) folders.set(folder, new Map());
      folders.get(folder).set(name.slice(slash + 1), content);
    }
  }
  for (const [name, inside] of folders) entries.push({ mode: FOLDER_MODE, name, sha: writeTree(gitDir, inside) });
  // git compares the bytes of names, a folder's with a slash behind it.
  const key = ({ mode, name }) => Buffer.from(mode === FOLDER_MODE ? `${name}/` : name);
  entries.sort((a, b) => Buffer.compare(key(a), key(b)));
  return writeObject(
    gitDir,
    'tree',
    Buffer.concat(entries.flatMap(({ mode, name, sha }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(sha, 'hex')])),
  );
}

/**
 * Stores a commit of `files`.
 *
 * @param {{ files: ReadonlyMap<string, Buffer>, parents: string[], author: string, atSeconds: number, message: string }} commit
 *   `author` as `Name <mail>`; `atSeconds` since 1970, UTC.
 * @returns {string} Its SHA.
 */
export function writeCommit(gitDir, { files, parents, author, atSeconds, message }) {
  const lines = [
    `tree ${writeTree(gitDir, files)}`,
    ...parents.map((sha) => `parent ${sha}`),
    `author ${author} ${atSeconds} +0000`,
    `committer ${author} ${atSeconds} +0000`,
    '',
    message,
  ];
  return writeObject(gitDir, 'commit', Buffer.from(`${lines.join('\n')}\n`));
}

/** Makes `gitDir` a repository whose branch `main` is checked out at `sha`. */
export function writeHead(gitDir, sha) {
  mkdirSync(path.join(gitDir, 'refs/heads'), { recursive: true });
  mkdirSync(path.join(gitDir, 'objects'), { recursive: true });
  writeFileSync(path.join(gitDir, 'config'), '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n');
  writeFileSync(path.join(gitDir, 'HEAD'), 'ref: refs/heads/main\n');
  writeFileSync(path.join(gitDir, 'refs/heads/main'), `${sha}\n`);
}

/**
 * Writes the index, so that `git status` finds the checkout clean. The files must lie in `folder` already.
 *
 * Version 2: "DIRC", version, count; an entry per file, sorted by path, padded with 1 to 8 NULs to a multiple of 8; SHA-1 of it all.
 */
export function writeIndex(gitDir, folder, files) {
  const paths = [...files.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const header = Buffer.alloc(12);
  header.write('DIRC', 'latin1');
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(paths.length, 8);
  const entries = paths.map((name) => {
    const nameBytes = Buffer.from(name);
    const stat = lstatSync(path.join(folder, name), { bigint: true });
    const entry = Buffer.alloc(Math.ceil((62 + nameBytes.length + 1) / 8) * 8);
    const fields = [
      stat.ctimeNs / 1_000_000_000n,
      stat.ctimeNs % 1_000_000_000n,
      stat.mtimeNs / 1_000_000_000n,
      stat.mtimeNs % 1_000_000_000n,
      stat.dev,
      stat.ino,
      BigInt(parseInt(FILE_MODE, 8)),
      stat.uid,
      stat.gid,
      stat.size,
    ];
    fields.forEach((field, index) => entry.writeUInt32BE(Number(field & 0xffff_ffffn), index * 4));
    Buffer.from(writeObject(gitDir, 'blob', files.get(name)), 'hex').copy(entry, 40);
    entry.writeUInt16BE(Math.min(nameBytes.length, 0xfff), 60);
    nameBytes.copy(entry, 62);
    return entry;
  });
  const body = Buffer.concat([header, ...entries]);
  writeFileSync(path.join(gitDir, 'index'), Buffer.concat([body, createHash('sha1').update(body).digest()]));
}
