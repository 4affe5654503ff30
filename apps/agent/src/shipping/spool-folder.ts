import { createHash } from 'node:crypto';
import {
  chmodSync,
  constants,
  lstatSync,
  mkdirSync,
  opendirSync,
  promises,
  renameSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import type { DurationMs, EpochMs } from '@hearth/profile-model';
import { readSpooledName, readUnfinishedName, spooledName, unfinishedName, type SpooledBatch } from './spooled-batch.js';

// As they are when the agent is loaded: later ones report to the recorder of waits, and these are not the host's.
const { chmod, lstat, mkdir, open, opendir, rename, rmdir, unlink, writeFile } = promises;

/** The server takes batches up to seven days old. */
export const MAX_SPOOLED_AGE_MS = 6 * 86_400_000;
/** A process that has not made a file whole by then has ended. */
const MAX_UNFINISHED_AGE_MS = 3_600_000;
/** How long a batch that is being sent belongs to its sender: six attempts. */
export const LEASE_MS: DurationMs = 60_000;
/** Of the batches of a folder, so many are known by name at once: the oldest. */
const MAX_LISTED = 1_000;
/** Of a folder with more, the rest is not read: nobody waits for a listing without end. One process writes as many in eleven days. */
export const MAX_FILES = 100_000;
/** Folders of other destinations that are looked at for what is too old. */
const MAX_FOLDERS = 256;
const FOLDER_NAME = /^[0-9a-f]{16}$/;
const OWNER_ONLY = { folder: 0o700, file: 0o600 };

/** What is in a folder. */
export interface SpoolListing {
  /** The oldest that nobody is sending, oldest first; at most 1,000. */
  readonly waiting: readonly SpooledBatch[];
  readonly isComplete: boolean;
  /** Too old to be sent. */
  readonly expired: readonly SpooledBatch[];
  /** Of all that is no older than that, whoever is sending it. */
  readonly bytes: number;
  /** Files with other names. They are left alone. */
  readonly foreignCount: number;
  /** There are more files than are read. */
  readonly isCut: boolean;
}

/**
 * Batches of one destination, in a folder that processes share: what is in it goes to the address and the project that it was made
 * for, whatever else is in `spoolDir`.
 */
export function destinationFolder(spoolDir: string, url: URL, key: string): string {
  const user = process.geteuid?.() ?? '';
  const name = createHash('sha256').update(`${url.href}\n${key}\n${user}`).digest('hex').slice(0, 16);
  return path.join(spoolDir, name);
}

/** Makes the folder where it is missing, and keeps everybody else out of it. Throws where it cannot be ours. */
export async function openFolder(folder: string): Promise<void> {
  await makeFolder(folder);
  if (isOpenToOthers(folder, await lstat(folder))) await chmod(folder, OWNER_ONLY.folder);
}

/** `openFolder` for the moment after which nothing asynchronous runs any more. */
export function openFolderAtExit(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: OWNER_ONLY.folder });
  if (isOpenToOthers(folder, lstatSync(folder))) chmodSync(folder, OWNER_ONLY.folder);
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, OWNER_ONLY.folder); // tells what is wrong: a recursive one says ENOENT on a read-only disk
  } catch (error) {
    if (isMissing(error)) await mkdir(folder, { recursive: true, mode: OWNER_ONLY.folder });
    else if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** Throws where it is no folder, or not ours. */
function isOpenToOthers(folder: string, stats: Stats): boolean {
  if (!stats.isDirectory()) throw new Error(`${folder} is no folder`);
  if (process.geteuid === undefined) return false;
  if (stats.uid !== process.geteuid()) throw new Error(`${folder} belongs to another user`);
  return (stats.mode & 0o077) !== 0;
}

/** Reads names only, and no more than `maxFiles`. Removes what never became whole. */
export async function listFolder(folder: string, nowMs: EpochMs, maxFiles: number): Promise<SpoolListing> {
  let waiting: SpooledBatch[] = [];
  const expired: SpooledBatch[] = [];
  let [bytes, foreignCount, waitingCount, readCount] = [0, 0, 0, 0];
  for await (const { name } of await opendir(folder, { bufferSize: 256 })) {
    if ((readCount += 1) > maxFiles) break;
    const batch = readSpooledName(name);
    if (batch === undefined) {
      const begunAtMs = readUnfinishedName(name);
      if (begunAtMs === undefined) foreignCount += 1;
      else if (nowMs - begunAtMs > MAX_UNFINISHED_AGE_MS) await unlink(path.join(folder, name)).catch(() => undefined);
    } else if (nowMs - batch.packedAtMs > MAX_SPOOLED_AGE_MS) {
      if (expired.length < MAX_LISTED) expired.push(batch); // the rest next time
    } else {
      bytes += batch.bytes;
      if (isLeased(batch, nowMs)) continue;
      waitingCount += 1;
      waiting.push(batch);
      if (waiting.length >= 2 * MAX_LISTED) waiting = oldestOf(waiting);
    }
  }
  waiting = oldestOf(waiting);
  const isCut = readCount > maxFiles;
  return { waiting, isComplete: !isCut && waiting.length === waitingCount, expired, bytes, foreignCount, isCut };
}

/** Of `listFolder` what a process needs that ends: as it, synchronously, and removing nothing. */
export function measureFolderAtExit(folder: string, maxFiles: number): Pick<SpoolListing, 'bytes' | 'isCut'> {
  let [bytes, readCount] = [0, 0];
  const entries = opendirSync(folder, { bufferSize: 256 });
  try {
    for (let entry = entries.readSync(); entry !== null && readCount <= maxFiles; entry = entries.readSync()) {
      readCount += 1;
      bytes += readSpooledName(entry.name)?.bytes ?? 0;
    }
  } finally {
    entries.closeSync();
  }
  return { bytes, isCut: readCount > maxFiles };
}

/** A lease from before the clock was put back is none. */
function isLeased({ leasedUntilMs }: SpooledBatch, nowMs: EpochMs): boolean {
  return leasedUntilMs !== undefined && leasedUntilMs > nowMs && leasedUntilMs <= nowMs + LEASE_MS;
}

function oldestOf(batches: SpooledBatch[]): SpooledBatch[] {
  return batches.sort((a, b) => a.packedAtMs - b.packedAtMs || a.sequence - b.sequence).slice(0, MAX_LISTED);
}

/** Whole or not at all: nobody sees the file under its name before it is written. */
export async function writeSpooled(folder: string, batch: SpooledBatch, bytes: Uint8Array): Promise<void> {
  const unfinished = path.join(folder, unfinishedName(batch, 'later'));
  try {
    await writeFile(unfinished, bytes, { mode: OWNER_ONLY.file });
    await rename(unfinished, path.join(folder, spooledName(batch)));
  } catch (error) {
    await unlink(unfinished).catch(() => undefined); // a full disk has use for its bytes
    throw error;
  }
}

/** For the moment after which nothing asynchronous runs any more: the process ends. */
export function writeSpooledAtExit(folder: string, batch: SpooledBatch, bytes: Uint8Array): void {
  const unfinished = path.join(folder, unfinishedName(batch, 'at-exit'));
  writeFileSync(unfinished, bytes, { mode: OWNER_ONLY.file });
  renameSync(unfinished, path.join(folder, spooledName(batch)));
}

/** @returns The batch as it is named while it is leased; `undefined` where somebody else has it. */
export async function leaseSpooled(folder: string, batch: SpooledBatch, nowMs: EpochMs): Promise<SpooledBatch | undefined> {
  const leased = { ...batch, leasedUntilMs: nowMs + LEASE_MS };
  return (await renameSpooled(folder, batch, leased)) ? leased : undefined;
}

/** @returns The batch as it is named while it waits; `undefined` where it is gone. */
export async function releaseSpooled(folder: string, batch: SpooledBatch): Promise<SpooledBatch | undefined> {
  const waiting = { ...batch, leasedUntilMs: undefined };
  return (await renameSpooled(folder, batch, waiting)) ? waiting : undefined;
}

/** For the moment after which nothing asynchronous runs any more. Throws where it is gone. */
export function releaseSpooledAtExit(folder: string, batch: SpooledBatch): void {
  renameSync(path.join(folder, spooledName(batch)), path.join(folder, spooledName({ ...batch, leasedUntilMs: undefined })));
}

async function renameSpooled(folder: string, from: SpooledBatch, to: SpooledBatch): Promise<boolean> {
  return isThere(rename(path.join(folder, spooledName(from)), path.join(folder, spooledName(to))));
}

/** @returns Whether it was there: of several processes one removes it. */
export function removeSpooled(folder: string, batch: SpooledBatch): Promise<boolean> {
  return isThere(unlink(path.join(folder, spooledName(batch))));
}

async function isThere(change: Promise<void>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function isLink(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ELOOP';
}

export function checksumOf(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}

/**
 * No link is followed, no more is read than the name says.
 *
 * @returns `undefined` where the file is not what its name says. Rejects where that cannot be told now: EMFILE, EIO.
 */
export async function readSpooled(folder: string, batch: SpooledBatch): Promise<Uint8Array | undefined> {
  const file = await openSpooled(path.join(folder, spooledName(batch)));
  if (file === undefined) return undefined;
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size !== batch.bytes) return undefined;
    const bytes = new Uint8Array(batch.bytes);
    for (let at = 0; at < bytes.length;) {
      const { bytesRead } = await file.read(bytes, at, bytes.length - at, at);
      if (bytesRead === 0) return undefined;
      at += bytesRead;
    }
    return checksumOf(bytes) === batch.checksum ? bytes : undefined;
  } finally {
    await file.close();
  }
}

/** @returns `undefined` for a link. */
async function openSpooled(file: string): Promise<promises.FileHandle | undefined> {
  try {
    return await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if (isLink(error)) return undefined;
    throw error;
  }
}

/** Folders whose address, key or user nobody has any more: what is too old to be sent goes, and an empty folder with it. */
export async function sweepOtherFolders(folder: string, nowMs: EpochMs): Promise<void> {
  const spoolDir = path.dirname(folder);
  let looked = 0;
  for await (const entry of await opendir(spoolDir)) {
    if (!entry.isDirectory() || !FOLDER_NAME.test(entry.name) || entry.name === path.basename(folder)) continue;
    if ((looked += 1) > MAX_FOLDERS) return;
    const other = path.join(spoolDir, entry.name);
    try {
      for (const batch of (await listFolder(other, nowMs, MAX_FILES)).expired) await removeSpooled(other, batch);
      await rmdir(other); // fails where something is in it
    } catch {
      // Not empty, or not ours.
    }
  }
}
