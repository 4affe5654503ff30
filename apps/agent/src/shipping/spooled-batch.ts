import type { EpochMs } from '@hearth/profile-model';
import type { DroppedCounts } from '../batching/batch-buffer.js';

/**
 * A batch on the disk. The file holds what is sent, byte for byte; all that has to be known about it is its name, so that a folder is
 * understood without opening a file, and a damaged file can still be counted:
 *
 *     1763683200000.9f0c...e1.17.1.990.5120.8c736521.batch            waits
 *     1763683200000.9f0c...e1.17.1.990.5120.8c736521.batch.1763683260000   is being sent by somebody, who has it until then
 *     packed at ms  process  sequence, batches and samples that it stands for, bytes, CRC-32
 *
 * Whoever renames a file has it: a rename finds its source once.
 */
export interface SpooledBatch {
  readonly packedAtMs: EpochMs;
  /** Of the process that measured it: 32 hexadecimal digits. */
  readonly processId: string;
  readonly sequence: number;
  readonly standsFor: DroppedCounts;
  /** Length of the file. */
  readonly bytes: number;
  /** Of the file: 8 hexadecimal digits. */
  readonly checksum: string;
  /** Until when the process that sends it has it to itself; `undefined`: it waits. */
  readonly leasedUntilMs: EpochMs | undefined;
}

const NAME =
  /^(\d{1,15})\.([0-9a-f]{32})\.(\d{1,15})\.(\d{1,15})\.(\d{1,15})\.(\d{1,15})\.([0-9a-f]{8})\.batch(?:\.(\d{1,15}))?$/;
/** Of a file that is being written; it gets its name when it is whole. */
const UNFINISHED = /^(\d{1,15})\.[0-9a-f]{32}\.\d{1,15}\.(?:later|at-exit)\.unfinished$/;

export function spooledName({
  packedAtMs,
  processId,
  sequence,
  standsFor,
  bytes,
  checksum,
  leasedUntilMs,
}: SpooledBatch): string {
  const fields = [packedAtMs, processId, sequence, standsFor.batches, standsFor.samples, bytes, checksum, 'batch'];
  return (leasedUntilMs === undefined ? fields : [...fields, leasedUntilMs]).join('.');
}

/** `undefined` for a name that is none of ours. */
export function readSpooledName(name: string): SpooledBatch | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const [, packedAtMs, processId, sequence, batches, samples, bytes, checksum, leasedUntilMs] = match;
  return {
    packedAtMs: Number(packedAtMs),
    processId: processId!,
    sequence: Number(sequence),
    standsFor: { batches: Number(batches), samples: Number(samples) },
    bytes: Number(bytes),
    checksum: checksum!,
    leasedUntilMs: leasedUntilMs === undefined ? undefined : Number(leasedUntilMs),
  };
}

/** @param when - At the exit of the process a batch is written that may be half-way through being written already. */
export function unfinishedName({ packedAtMs, processId, sequence }: SpooledBatch, when: 'later' | 'at-exit'): string {
  return `${packedAtMs}.${processId}.${sequence}.${when}.unfinished`;
}

/** When a file was begun that is not whole; `undefined` for any other. */
export function readUnfinishedName(name: string): EpochMs | undefined {
  const match = UNFINISHED.exec(name);
  return match === null ? undefined : Number(match[1]);
}
