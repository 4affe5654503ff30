import timers from 'node:timers';
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import type { DurationMs, EpochMs } from '@hearth/profile-model';
import { encodeBatch, type Batch } from '@hearth/wire-format';
import { BatchBuffer, type DroppedCounts } from '../batching/batch-buffer.js';
import type { AgentSettings } from '../options/options.js';
import type { AgentLog } from '../safety/agent-log.js';
import type { Guard } from '../safety/guard.js';
import { AGENT_VERSION } from '../version.js';
import { DiskSpool } from './disk-spool.js';
import { Shipper } from './shipper.js';
import { destinationFolder } from './spool-folder.js';

const gzipOnThreadPool = promisify(gzip);
/** Of the samples, the first levels already take out almost all there is; the rest costs the host's thread pool. */
const GZIP_LEVEL = 4;
/** How long the end of the process may wait for the disk. */
const SPILL_MS: DurationMs = 500;

/** An encoded batch, on its way to be compressed. */
interface EncodedBatch {
  readonly sequence: number;
  readonly encoded: Uint8Array;
  readonly standsFor: DroppedCounts;
}

/** Compresses batches, keeps them until they are stored, in memory and where there is a spool on the disk, and sends them. */
export class Outbox {
  readonly #buffer: BatchBuffer;
  readonly #spool: DiskSpool | undefined;
  readonly #shipper: Shipper;
  readonly #guard: Guard;
  readonly #maxBytes: number;
  readonly #uncompressed = new Set<EncodedBatch>();
  #compressing: Promise<void> = Promise.resolve();

  /** @param onAnswer - Gets the body of each answer that acknowledges a batch. */
  constructor(settings: AgentSettings, processId: string, log: AgentLog, guard: Guard, onAnswer: (body: unknown) => void) {
    const { url, key, spoolDir, maxSpooledBytes, maxBufferedBytes } = settings;
    const buffer = new BatchBuffer(maxBufferedBytes);
    this.#guard = guard;
    this.#maxBytes = maxBufferedBytes;
    this.#buffer = buffer;
    this.#spool =
      spoolDir === undefined
        ? undefined
        : new DiskSpool(destinationFolder(spoolDir, url, key), maxSpooledBytes, processId, log, (lost) => buffer.countLost(lost));
    const target = { url, key, userAgent: `hearth-agent/${AGENT_VERSION}` };
    this.#shipper = new Shipper(target, buffer, this.#spool, log, guard, onAnswer);
    void this.#openSpool().catch(guard.report);
  }

  /** With a spool: then what is measured until the last moment is worth being put. */
  get keepsAtExit(): boolean {
    return this.#spool !== undefined;
  }

  /** The agent's own series. */
  get series(): { name: string; value: number }[] {
    const series = [{ name: 'agent_buffer_bytes', value: this.#buffer.bytes }];
    if (this.#spool !== undefined) {
      series.push(
        { name: 'agent_spool_bytes', value: this.#spool.bytes },
        { name: 'agent_spool_ignored_files', value: this.#spool.ignoredCount },
      );
    }
    return series;
  }

  /** What was lost since the last call: for the report of the next batch. */
  takeDropped(): DroppedCounts {
    return this.#buffer.takeDropped();
  }

  /** Counts what never got here. */
  countLost(lost: DroppedCounts): void {
    this.#buffer.countLost(lost);
  }

  /** Counts the batch as lost where more than the buffer may hold waits to be compressed: the thread pool hangs. @throws where it cannot be encoded: then it is, too. */
  put(measured: Batch, standsFor: DroppedCounts, _which: 'more-to-come' | 'last'): void {
    const waiting = [...this.#uncompressed].reduce((sum, { encoded }) => sum + encoded.length, 0);
    if (waiting > this.#maxBytes) return this.#buffer.countLost(standsFor);
    const batch = { sequence: measured.sequence, encoded: this.#encode(measured, standsFor), standsFor };
    this.#uncompressed.add(batch);
    this.#compressing = Promise.all([this.#compressing, gzipOnThreadPool(batch.encoded, { level: GZIP_LEVEL })])
      .then(([, bytes]) => {
        this.#add(batch, bytes);
        this.#shipper.wake();
      })
      .catch((fault: unknown) => {
        this.#buffer.countLost(batch.standsFor);
        this.#guard.report(fault);
      })
      .finally(() => this.#uncompressed.delete(batch));
  }

  /**
   * Sends all there is; what is left at the end of the process goes to the disk.
   *
   * @returns Whether the server has it all. Never rejects.
   */
  async flush(timeoutMs: DurationMs, which: 'more-to-come' | 'last'): Promise<boolean> {
    try {
      const isSent = await within(timeoutMs, () => this.#compressing.then(() => this.#shipper.flush(which)));
      if (which === 'last') await within(SPILL_MS, () => this.#settle());
      return isSent;
    } catch (fault) {
      this.#guard.report(fault);
      return false;
    }
  }

  /** Synchronous, on `exit`: nothing else can keep these batches any more. Throws where the disk does not take them. */
  saveAtExit(): void {
    const spool = this.#spool;
    if (spool === undefined || this.#shipper.isDiskHung) return; // it would hold the end of the process
    for (const batch of this.#uncompressed) this.#add(batch, gzipSync(batch.encoded, { level: GZIP_LEVEL }));
    for (const batch of this.#shipper.unsaved) spool.saveAtExit(batch);
    this.#guard.run(() => spool.releaseAtExit(), undefined);
  }

  stop(): void {
    this.#shipper.stop();
  }

  /** What an earlier process left is sent at once: this one may not live for a period. */
  async #openSpool(): Promise<void> {
    await this.#spool?.open();
    if (this.#spool?.hasWaiting === true) this.#shipper.wake();
  }

  /** Nothing is left that only this process has. */
  async #settle(): Promise<true> {
    await this.#shipper.spill();
    await this.#spool?.settled();
    return true;
  }

  #encode(batch: Batch, standsFor: DroppedCounts): Uint8Array {
    try {
      return encodeBatch(batch);
    } catch (fault) {
      this.#buffer.countLost(standsFor);
      throw fault;
    }
  }

  #add({ sequence, standsFor }: EncodedBatch, bytes: Uint8Array): void {
    const now = performance.now();
    this.#buffer.add({ sequence, bytes, packedAtMs: wallClockMs(), packedAt: now, standsFor }, now);
  }
}

/** Also where the host has made something else of `Date.now`. */
function wallClockMs(): EpochMs {
  const nowMs = Date.now();
  return Number.isSafeInteger(nowMs) && nowMs >= 0 ? nowMs : Math.round(performance.timeOrigin + performance.now());
}

/** @returns `false` where it takes longer. Holds the process meanwhile. */
async function within(timeoutMs: DurationMs, work: () => Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = timers.setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([work(), timeout]);
  } finally {
    timers.clearTimeout(timer);
  }
}
