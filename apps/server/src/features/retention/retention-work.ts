import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs } from '@hearth/profile-model';
import { Ticks } from '../../platform/queue/index.js';
import { ReceiptRepository, UnusedEpochs, UPLOAD_RECEIPT_LIFE_MS } from '../profile-store/index.js';
import { PinWork } from './pin-work.js';
import { RetentionExpiry } from './retention-expiry.js';

/** What is dropped is at least a day old, so minutes do not matter; a change of policy should still be seen to work. */
const EXPIRE_EVERY_MS: DurationMs = 5 * 60_000;
/** A batch is refused when it is older than seven days, so after eight its identity is asked for no more. */
export const BATCH_RECEIPT_LIFE_MS: DurationMs = 8 * 86_400_000;

/** What the worker role forgets, again and again. */
@Injectable()
export class RetentionWork {
  constructor(
    private readonly expiry: RetentionExpiry,
    private readonly receipts: ReceiptRepository,
    private readonly epochs: UnusedEpochs,
    private readonly pins: PinWork,
    ticks: Ticks,
  ) {
    ticks.every('drop what has expired', EXPIRE_EVERY_MS, () => this.expire());
  }

  async expire(nowMs: EpochMs = Date.now()): Promise<void> {
    await this.receipts.forget({
      batchesBeforeMs: nowMs - BATCH_RECEIPT_LIFE_MS,
      uploadsBeforeMs: nowMs - UPLOAD_RECEIPT_LIFE_MS,
    });
    await this.expiry.expire(nowMs);
    await this.pins.returnRoom();
    await this.epochs.drop();
    // Last: days are past once expiry has merged them for good, and a queue that is away stops nothing else.
    await this.pins.queuePast(nowMs);
  }
}
