import { Injectable } from '@nestjs/common';
import type { DurationMs } from '@hearth/profile-model';
import { DataSource } from 'typeorm';
import { unlessLocked } from '../../platform/database/advisory-lock.js';
import { toHearthError } from '../../platform/http/index.js';
import { Deletions, type DeletionKey, type DeletionOrder } from './deletions.repository.js';
import { LabelDeletion } from './label-deletion.js';
import { RangeDeletion } from './range-deletion.js';
import { ServiceDeletion } from './service-deletion.js';

/** Of advisory locks, one for each service: orders about one service are carried out one after the other, each by one worker. */
const DELETION_LOCK = 404_004;
/** Runs of one order. With the waits between them some four hours: as long as a backup may keep a partition busy. */
const MAX_ATTEMPTS = 12;
const FIRST_WAIT_MS: DurationMs = 15_000;
const LONGEST_WAIT_MS: DurationMs = 3_600_000;
/** A batch that was on its way when its service or label went may still be stored. None takes this long. */
export const SETTLED_MS: DurationMs = 15_000;

/** Carries out orders to delete. */
@Injectable()
export class DeletionRun {
  constructor(
    private readonly dataSource: DataSource,
    private readonly deletions: Deletions,
    private readonly services: ServiceDeletion,
    private readonly ranges: RangeDeletion,
    private readonly labels: LabelDeletion,
  ) {}

  /**
   * Removes what the order is about, and writes the partitions it was in again. Begins anew when it was killed: what is gone is found gone.
   * Does nothing while another worker is at an order about the same service.
   *
   * @throws why it could not be done this time: it is tried again later, or has been given up
   */
  async run(key: DeletionKey, settledMs = SETTLED_MS): Promise<void> {
    await unlessLocked(this.dataSource, { kind: DELETION_LOCK, of: String(key.serviceId) }, async () => {
      const order = await this.deletions.begin(key);
      if (order === null) return;
      if (order.attempts > MAX_ATTEMPTS) {
        // An error ends a last run by itself; only a worker that died leaves it running, and the next may die the same way.
        await this.deletions.fail(key, givenUp(MAX_ATTEMPTS, 'its worker was lost each time'));
        return;
      }
      try {
        await this.#carryOut(order, settledMs);
      } catch (error) {
        await this.#giveBack(order, error);
        throw error;
      }
      await this.deletions.finish(key);
    });
  }

  async #carryOut(order: DeletionOrder, settledMs: DurationMs): Promise<void> {
    switch (order.selector?.kind) {
      case undefined:
        return this.services.run(order, settledMs);
      case 'range':
        return this.ranges.run(order, order.selector);
      case 'label':
        return this.labels.run(order, order.selector, settledMs);
    }
  }

  async #giveBack(order: DeletionOrder, error: unknown): Promise<void> {
    const known = toHearthError(error);
    // A refusal stays one, however often it is tried.
    if (known.status < 500) return this.deletions.fail(order, { code: known.code, message: known.detail });
    const why = error instanceof Error ? error.message : String(error);
    if (order.attempts >= MAX_ATTEMPTS) return this.deletions.fail(order, givenUp(order.attempts, why));
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (order.attempts - 1));
    return this.deletions.postpone(order, { code: known.code, message: why }, waitMs);
  }
}

function givenUp(attempts: number, why: string): { code: string; message: string } {
  return { code: 'DELETION_FAILED', message: `given up after ${attempts} tries: ${why}` };
}
