import { createHash } from 'node:crypto';
import fs, { type Stats } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DurationMs } from '@hearth/profile-model';
import { readGitHead, type GitFolders } from './git-revision.js';

/** As they are before anything is measured: what the agent reads is no wait of the host. */
const { lstatSync, readFileSync } = fs;
const { lstat, readFile, readlink } = fs.promises;

/** One tracked file as git last saw it. */
interface IndexEntry {
  readonly file: string;
  readonly mtimeSeconds: number;
  readonly sizeBytes: number;
  readonly isLink: boolean;
  /** Hexadecimal name of its content. */
  readonly objectName: string;
}

/** A repository with more files is not looked through: the answer is not worth a second of disk work in somebody's service. */
const MAX_FILES = 20_000;
/** Files whose time or size differ are read, up to so many bytes; a larger one counts as changed. */
const MAX_READ_BYTES = 4 * 1024 * 1024;
/** And so many bytes of all of them together: a copied checkout has new times on every file. */
const MAX_READ_BYTES_IN_ALL = 64 * 1024 * 1024;
/** Looked at on the host's thread: for so long between two turns of the event loop, in all, and of files up to so many bytes. */
const SLICE_MS: DurationMs = 2;
const MOST_SLICES_MS: DurationMs = 200;
const MAX_SLICED_READ_BYTES = 64 * 1024;
const SHA1_DIGITS = 40;
const SYMBOLIC_LINK = 0o120000;

/**
 * Was a tracked file changed or deleted since it was checked out or added? Compares the files with git's index, without running git; a
 * file whose time differs is compared by content. Does not see untracked files, nor changes that were added but not committed. Files
 * that git converts on the way (line endings, filters) may seem changed once they were touched.
 *
 * @returns `false` also where it cannot be told.
 */
export async function isWorkTreeDirty(folders: GitFolders): Promise<boolean> {
  const { workTree, gitDir } = folders;
  if (readGitHead(folders)?.length !== SHA1_DIGITS) return false; // the index of a SHA-256 repository is another, and does not say so
  const entries = readIndex(await readFile(path.join(gitDir, 'index')));
  if (entries === undefined || entries.length > MAX_FILES) return false;
  let bytesLeft = MAX_READ_BYTES_IN_ALL;
  const mayRead = (bytes: number): boolean => (bytesLeft -= bytes) >= 0;
  const looks = new FileLooks();
  for (const entry of entries) {
    const answer = await isChanged(workTree, entry, looks, mayRead);
    if (answer !== false) return answer === true;
  }
  return false;
}

/** @returns `undefined` where too much has been read already. */
async function isChanged(
  workTree: string,
  entry: IndexEntry,
  looks: FileLooks,
  mayRead: (bytes: number) => boolean,
): Promise<boolean | undefined> {
  const file = path.join(workTree, entry.file);
  try {
    const { mtimeMs, size } = await looks.lstat(file);
    if (Math.floor(mtimeMs / 1000) === entry.mtimeSeconds && size % 2 ** 32 === entry.sizeBytes) return false;
    if (size > MAX_READ_BYTES) return true;
    if (!mayRead(size)) return undefined;
    const content = entry.isLink ? Buffer.from(await readlink(file)) : await looks.read(file, size);
    return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex') !== entry.objectName;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/**
 * Files are looked at on the host's thread, with turns of the event loop in between: through the thread pool each takes ten times as much CPU, and a turn of its own, in which
 * V8 collects a heap that is almost full. A disk that is too slow for that is left to the thread pool.
 */
class FileLooks {
  #sliceBeganAt = performance.now();
  #slicesMs: DurationMs = 0;

  async lstat(file: string): Promise<Stats> {
    return (await this.#isQuick()) ? lstatSync(file) : lstat(file);
  }

  async read(file: string, bytes: number): Promise<Buffer> {
    return bytes <= MAX_SLICED_READ_BYTES && (await this.#isQuick()) ? readFileSync(file) : readFile(file);
  }

  async #isQuick(): Promise<boolean> {
    if (this.#slicesMs > MOST_SLICES_MS) return false;
    const sliceMs = performance.now() - this.#sliceBeganAt;
    if (sliceMs < SLICE_MS) return true;
    this.#slicesMs += sliceMs;
    await nextTurn();
    this.#sliceBeganAt = performance.now();
    return true;
  }
}

/**
 * Versions 2 and 3 of the index of a SHA-1 repository (git's Documentation/gitformat-index.txt). `undefined` for another version or a damaged file.
 *
 *     "DIRC" | version u32 | entries u32 | entry...
 *     entry   ctime 8 | mtime seconds u32, nanoseconds u32 | dev, ino u32 | mode u32 | uid, gid u32 | size u32 | name of the content 20 |
 *             flags u16 (bit 14: two bytes more) | path, NUL, padded to a multiple of 8
 */
export function readIndex(bytes: Buffer): IndexEntry[] | undefined {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== 'DIRC') return undefined;
  const version = bytes.readUInt32BE(4);
  if (version !== 2 && version !== 3) return undefined;
  const count = bytes.readUInt32BE(8);
  const entries: IndexEntry[] = [];
  const nameBytes = SHA1_DIGITS / 2;
  let at = 12;
  for (let row = 0; row < count; row += 1) {
    const pathAt = at + 40 + nameBytes + 2;
    if (pathAt > bytes.length) return undefined;
    const flags = bytes.readUInt16BE(at + 40 + nameBytes);
    const isExtended = (flags & 0x4000) !== 0;
    const start = pathAt + (isExtended ? 2 : 0);
    const end = bytes.indexOf(0, start);
    if (end <= start) return undefined;
    const mode = bytes.readUInt32BE(at + 24);
    const isSkipped = isExtended && (bytes.readUInt16BE(pathAt) & 0x4000) !== 0; // sparse checkout: not meant to be there
    const isFile = (mode & 0o170000) === 0o100000 || (mode & 0o170000) === SYMBOLIC_LINK; // not a submodule
    if (isFile && !isSkipped) {
      entries.push({
        file: bytes.toString('utf8', start, end),
        mtimeSeconds: bytes.readUInt32BE(at + 8),
        sizeBytes: bytes.readUInt32BE(at + 36),
        isLink: (mode & 0o170000) === SYMBOLIC_LINK,
        objectName: bytes.toString('hex', at + 40, at + 40 + nameBytes),
      });
    }
    at += Math.ceil((end + 1 - at) / 8) * 8;
  }
  return entries;
}
