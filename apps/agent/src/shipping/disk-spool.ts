import type { EpochMs } from '@hearth/profile-model';
import type { DroppedCounts, PackedBatch } from '../batching/batch-buffer.js';
import type { AgentLog } from '../safety/agent-log.js';
import { describeError } from '../safety/guard.js';
import {
  MAX_FILES,
  checksumOf,
  isMissing,
  leaseSpooled,
  listFolder,
  measureFolderAtExit,
  openFolder,
  openFolderAtExit,
  readSpooled,
  releaseSpooled,
  releaseSpooledAtExit,
  removeSpooled,
  sweepOtherFolders,
  writeSpooled,
  writeSpooledAtExit,
} from './spool-folder.js';
import type { SpooledBatch } from './spooled-batch.js';

/** Other processes write to the folder too: so often it is looked at anew. */
const LOOK_EVERY_MS = 60_000;

/** A batch that this process has to itself, with what is in its file. */
export interface LeasedBatch {
  readonly file: SpooledBatch;
  readonly bytes: Uint8Array;
}

/**
 * Batches that wait on the disk, also for longer than a process lives. Any process with the same destination sends any of them.
 *
 * All calls are made one after the other. None throws: a folder that cannot be used is said once, and `save` answers `false`.
 */
export class DiskSpool {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #maxFiles: number;
  readonly #processId: string;
  readonly #log: AgentLog;
  readonly #onLost: (lost: DroppedCounts) => void;
  /** The oldest that wait, oldest first. */
  #waiting: SpooledBatch[] = [];
  /** What this process is sending. */
  #leased: SpooledBatch | undefined;
  #isComplete = true;
  /** The folder was found to be a folder of this user's. */
  #isOurs = false;
  #isMeasured = false;
  /** There are more files than are looked at: nothing is added that does not take the place of another. */
  #isCut = false;
  #bytes = 0;
  #foreignCount = 0;
  #damagedCount = 0;
  #lookedAt = -Infinity;
  #isUsable = true;
  #isSwept = false;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param onLost - What is given up: too old, too much, or damaged.
   * @param maxFiles - What one look at the folder reads.
   */
  constructor(
    folder: string,
    maxBytes: number,
    processId: string,
    log: AgentLog,
    onLost: (lost: DroppedCounts) => void,
    maxFiles = MAX_FILES,
  ) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#processId = processId;
    this.#log = log;
    this.#onLost = onLost;
    this.#maxFiles = maxFiles;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Of all files that wait, or are being sent; what other processes do meanwhile is known within a minute. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Files that are no batches, and batches that were damaged. */
  get ignoredCount(): number {
    return this.#foreignCount + this.#damagedCount;
  }

  /** Looks at the folder, which is made if it is missing. */
  open(): Promise<void> {
    return this.#one(() => this.#look(Date.now()), undefined);
  }

  /** @returns Whether it is on the disk. */
  save(batch: PackedBatch): Promise<boolean> {
    return this.#one(async () => {
      const file = this.#fileOf(batch);
      if (!this.#isOurs || performance.now() - this.#lookedAt > LOOK_EVERY_MS) await this.#look(Date.now());
      if (!(await this.#makeRoom(file.bytes))) return false;
      await this.#write(file, batch.bytes);
      this.#isUsable = true;
      this.#bytes += file.bytes;
      if (this.#isComplete) this.#waiting.push(file); // else it is found when those before it are done
      return true;
    }, false);
  }

  /** Synchronous: for the moment after which nothing else runs. What is beyond the limit is lost. Throws where it cannot. */
  saveAtExit(batch: PackedBatch): void {
    openFolderAtExit(this.#folder);
    if (!this.#isMeasured) {
      const { bytes, isCut } = measureFolderAtExit(this.#folder, this.#maxFiles);
      [this.#bytes, this.#isCut, this.#isMeasured] = [bytes, isCut, true];
    }
    if (this.#isCut || this.#bytes + batch.bytes.length > this.#maxBytes) return this.#onLost(batch.standsFor);
    writeSpooledAtExit(this.#folder, this.#fileOf(batch), batch.bytes);
    this.#bytes += batch.bytes.length;
  }

  /** Lets go what is being sent, so that the next process need not wait for the minute. As `saveAtExit`. */
  releaseAtExit(): void {
    if (this.#leased !== undefined) releaseSpooledAtExit(this.#folder, this.#leased);
  }

  /** The oldest that waits; it is this process's until it is removed or put back, or a minute has passed. */
  takeOldest(): Promise<LeasedBatch | undefined> {
    return this.#one(async () => {
      for (let next = await this.#next(); next !== undefined; next = await this.#next()) {
        const file = await leaseSpooled(this.#folder, next, Date.now());
        if (file === undefined) continue; // somebody else sends it
        const bytes = await this.#read(file);
        if (bytes !== undefined) {
          this.#leased = file;
          return { file, bytes };
        }
        await this.#giveUp(file);
        this.#damagedCount += 1;
        this.#log.warn('AGENT_SPOOL_DAMAGED', `a batch in ${this.#folder} was damaged; it is dropped and counted`);
      }
      return undefined;
    }, undefined);
  }

  /** Sent, or refused for good. */
  remove({ file }: LeasedBatch): Promise<void> {
    return this.#one(async () => {
      this.#leased = undefined;
      this.#bytes -= file.bytes;
      await removeSpooled(this.#folder, file);
    }, undefined);
  }

  /** Not sent: it waits again. */
  putBack({ file }: LeasedBatch): Promise<void> {
    return this.#one(async () => {
      this.#leased = undefined;
      const waiting = await releaseSpooled(this.#folder, file);
      if (waiting !== undefined) this.#waiting.unshift(waiting);
    }, undefined);
  }

  /** All that was called has been done. */
  async settled(): Promise<void> {
    await this.#last;
  }

  #fileOf({ packedAtMs, sequence, standsFor, bytes }: PackedBatch): SpooledBatch {
    return {
      packedAtMs,
      processId: this.#processId,
      sequence,
      standsFor,
      bytes: bytes.length,
      checksum: checksumOf(bytes),
      leasedUntilMs: undefined,
    };
  }

  /** One call after the other; a fault of the disk is said when it begins. */
  #one<Result>(work: () => Promise<Result>, otherwise: Result): Promise<Result> {
    const result = this.#last.then(async () => {
      try {
        return await work();
      } catch (fault) {
        if (this.#isUsable)
          this.#log.warn(
            'AGENT_SPOOL_UNUSABLE',
            `nothing can be kept in ${this.#folder}, only in memory, until it can be used: ${describeError(fault)}`,
          );
        this.#isUsable = false;
        return otherwise;
      }
    });
    this.#last = result;
    return result;
  }

  async #next(): Promise<SpooledBatch | undefined> {
    const isDue = !this.#isComplete || performance.now() - this.#lookedAt > LOOK_EVERY_MS;
    if (!this.#isOurs || (this.#waiting.length === 0 && isDue)) await this.#look(Date.now());
    return this.#waiting.shift();
  }

  async #look(nowMs: EpochMs): Promise<void> {
    this.#lookedAt = performance.now(); // also where it fails: it is not tried at every call
    await this.#open();
    const { waiting, isComplete, bytes, expired, foreignCount, isCut } = await listFolder(this.#folder, nowMs, this.#maxFiles);
    this.#waiting = [...waiting];
    this.#isComplete = isComplete;
    this.#bytes = bytes;
    this.#foreignCount = foreignCount;
    this.#isCut = isCut;
    this.#isMeasured = true;
    for (const batch of expired) {
      if (await removeSpooled(this.#folder, batch)) this.#onLost(batch.standsFor);
    }
    // What others saved at their exit, none of which knew of the others.
    while (this.#bytes > this.#maxBytes && this.#waiting.length > 0) await this.#giveUp(this.#waiting.shift()!);
    if (!this.#isSwept) await sweepOtherFolders(this.#folder, nowMs);
    this.#isSwept = true;
    this.#isUsable = true;
  }

  /** Makes the folder, or makes sure that it is ours. */
  async #open(): Promise<void> {
    this.#isOurs = false;
    await openFolder(this.#folder);
    this.#isOurs = true;
  }

  /** @returns `undefined` where it is damaged. What cannot be read now waits again, behind the others: it may be readable later. */
  async #read(file: SpooledBatch): Promise<Uint8Array | undefined> {
    try {
      return await readSpooled(this.#folder, file);
    } catch (error) {
      const waiting = await releaseSpooled(this.#folder, file);
      if (waiting !== undefined) this.#waiting.push(waiting);
      throw error;
    }
  }

  /** @returns Whether there is room for so many bytes now. */
  async #makeRoom(bytes: number): Promise<boolean> {
    if (bytes > this.#maxBytes) return false;
    if (this.#isCut && !(await this.#giveUpOldest())) return false;
    while (this.#bytes + bytes > this.#maxBytes) {
      if (!(await this.#giveUpOldest())) return false;
    }
    return true;
  }

  async #giveUpOldest(): Promise<boolean> {
    if (this.#waiting.length === 0 && !this.#isComplete) await this.#look(Date.now());
    const oldest = this.#waiting.shift();
    if (oldest === undefined) return false;
    await this.#giveUp(oldest);
    return true;
  }

  async #giveUp(batch: SpooledBatch): Promise<void> {
    this.#bytes -= batch.bytes;
    if (await removeSpooled(this.#folder, batch)) this.#onLost(batch.standsFor);
  }

  /** Somebody may have removed the folder. */
  async #write(file: SpooledBatch, bytes: Uint8Array): Promise<void> {
    try {
      await writeSpooled(this.#folder, file, bytes);
    } catch (error) {
      if (!isMissing(error)) throw error;
      await this.#open();
      await writeSpooled(this.#folder, file, bytes);
    }
  }
}
