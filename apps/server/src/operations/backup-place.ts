import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { HearthError } from '../platform/http/index.js';
import type { BackupSink } from './backup-writer.js';
import type { BackupSource } from './restore.js';

/** Standard output or input, in place of a file. */
export const STANDARD_STREAM = '-';
const READ_BYTES = 1 << 20;
/** It holds the hashes of keys and passwords. */
const FILE_MODE = 0o600;

/** A sink that is there as a whole after `keep`, or not at all after `discard`. */
export interface BackupTarget extends BackupSink {
  keep(): Promise<void>;
  discard(): Promise<void>;
}

/** @throws {HearthError} `BACKUP_FILE` */
export async function openTarget(place: string): Promise<BackupTarget> {
  if (place === STANDARD_STREAM) return standardOutput();
  // Of this run alone: two that write into one file would spoil both, and the one of before.
  const partial = `${place}.${randomBytes(6).toString('hex')}.partial`;
  const file = await coded(place, () => open(partial, 'wx', FILE_MODE));
  return {
    write: (bytes) => coded(place, () => file.appendFile(bytes)),
    keep: () => coded(place, () => keepFile(file, partial, place)),
    discard: async () => {
      await file.close().catch(() => undefined);
      await rm(partial, { force: true });
    },
  };
}

/** @throws {HearthError} `BACKUP_FILE` */
export async function openSource(place: string): Promise<BackupSource> {
  if (place === STANDARD_STREAM) return { name: 'standard input', isFile: false, bytes: undefined, open: () => process.stdin };
  const stats = await coded(place, () => stat(place));
  return {
    name: path.basename(place),
    isFile: stats.isFile(), // a named pipe is not: it cannot be read twice
    bytes: stats.isFile() ? stats.size : undefined,
    open: () => readFile(place),
  };
}

/** Data and name are on the disk before it counts: a power cut leaves the old file or the new one. */
async function keepFile(file: FileHandle, partial: string, place: string): Promise<void> {
  await file.sync();
  await file.close();
  await rename(partial, place);
  const folder = await open(path.dirname(path.resolve(place)), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function* readFile(place: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(place, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw fileError(place, error);
  }
}

function standardOutput(): BackupTarget {
  const { stdout } = process;
  stdout.on('error', () => undefined); // the write that failed tells
  return {
    write: (bytes) =>
      coded(
        'standard output',
        () =>
          new Promise<void>((resolve, reject) => {
            stdout.write(bytes, (error) => {
              if (error) reject(error);
              else resolve();
            });
          }),
      ),
    keep: async () => undefined,
    discard: async () => undefined,
  };
}

async function coded<Result>(place: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw fileError(place, error);
  }
}

function fileError(place: string, error: unknown): HearthError {
  return new HearthError('BACKUP_FILE', `${place} cannot be read or written: ${(error as Error).message}`, { cause: error });
}
