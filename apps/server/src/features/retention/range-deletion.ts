import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { EpochMs, TimeRange } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import { withPartitions } from '../../platform/database/partitions.js';
import { HearthError } from '../../platform/http/index.js';
import { ComparisonRepository } from '../comparison/index.js';
import { LineRecordings } from '../lines/index.js';
import { ProcessSeries } from '../process-metrics/index.js';
import {
  ErasureRepository,
  HOUR_MS,
  LEVELS,
  PinnedTotals,
  WindowRepository,
  type UpperLevel,
  type WindowKey,
} from '../profile-store/index.js';
import { UpperBuilder } from '../rollup/index.js';
import { Exemplars, PinnedTransactions, TransactionWindows } from '../transactions/index.js';
import { DeletionDisk } from './deletion-disk.js';
import { rangeUneven, DeletionRanges } from './deletion-ranges.js';
import { Deletions, type DeletionKey, type Removed } from './deletions.repository.js';

/** For a builder that was faster, and one that began before what it read was gone. */
const BUILD_WAITS = 100;
const BUILD_WAIT_MS = 100;

/** Removes everything of a service whose window starts within a range of time. */
@Injectable()
export class RangeDeletion {
  constructor(
    private readonly dataSource: DataSource,
    private readonly deletions: Deletions,
    private readonly disk: DeletionDisk,
    private readonly ranges: DeletionRanges,
    private readonly erasure: ErasureRepository,
    private readonly windows: WindowRepository,
    private readonly upper: UpperBuilder,
    private readonly pinned: PinnedTotals,
    private readonly transactionWindows: TransactionWindows,
    private readonly pinnedTransactions: PinnedTransactions,
    private readonly processSeries: ProcessSeries,
    private readonly lineRecordings: LineRecordings,
    private readonly exemplars: Exemplars,
    private readonly comparisons: ComparisonRepository,
  ) {}

  /**
   * Piece by piece, each whole or not at all, from the finest level up: so what is above is made anew of what is left. Whatever is asked meanwhile is
   * answered with some pieces gone.
   *
   * @throws {HearthError} `DELETION_RANGE_UNEVEN`: what an end of the range would cut has been merged, or kept for a pin, since it was ordered; `DELETION_BUSY`
   */
  async run(key: DeletionKey, { fromMs, untilMs }: TimeRange): Promise<void> {
    const range = { fromMs, untilMs };
    await this.ranges.assertEven(key.serviceId, range);
    const note = (client: ClientBase, removed: Removed) => this.deletions.noteRemoved(client, key, removed);
    const hours = await this.erasure.hoursOfMinutes(key.serviceId, range);
    const steps = hours.length + 4;
    for (const hourMs of hours) {
      await this.#eraseMinutes(key, range, hourMs);
      await this.deletions.addStep(key, steps);
    }
    for (const level of [LEVELS.hour, LEVELS.day]) {
      await this.#eraseUpper(key, level, range);
      await this.deletions.addStep(key, steps);
    }
    // After the days: one that has moved there meanwhile is found.
    await inDatabaseTransaction(this.dataSource, async ({ client }) =>
      note(client, await this.pinned.eraseDays(client, key.serviceId, range)),
    );
    await this.transactionWindows.removeRange(key.serviceId, range, note);
    await this.ranges.assertCutsNoPinned(key.serviceId, range);
    await this.pinnedTransactions.removeRange(key.serviceId, range, note);
    await this.processSeries.removeRange(key.serviceId, range, note);
    await this.lineRecordings.removeRange(key.serviceId, range, note);
    await this.exemplars.removeRange(key.serviceId, range, note);
    await this.deletions.addStep(key, steps);
    // Last: whatever was asked for meanwhile may be made of what was still there.
    await inDatabaseTransaction(this.dataSource, async ({ client }) =>
      note(client, { rows: await this.comparisons.removeAbout(client, key.serviceId, range), tables: [] }),
    );
    await this.deletions.addStep(key, steps);
    await this.disk.giveBack(key, steps);
  }

  async #eraseMinutes(key: DeletionKey, range: TimeRange, hourMs: EpochMs): Promise<void> {
    const part = { fromMs: Math.max(range.fromMs, hourMs), untilMs: Math.min(range.untilMs, hourMs + HOUR_MS) };
    const isWholeHour = part.untilMs - part.fromMs === HOUR_MS;
    await withPartitions(
      () => [{ partitions: this.windows.partitions.hour, times: [hourMs] }],
      () =>
        inDatabaseTransaction(this.dataSource, async ({ client }) => {
          const { isHourSealed, ...removed } = await this.erasure.eraseMinutes(client, key.serviceId, part);
          if (isHourSealed && !isWholeHour) throw rangeUneven('an hour of its ends was merged for good since it was ordered');
          await this.deletions.noteRemoved(client, key, removed);
        }),
    );
  }

  /** A window that is sealed is erased; one that is not is made anew of what is left below it. */
  async #eraseUpper(key: DeletionKey, level: UpperLevel, range: TimeRange): Promise<void> {
    for (const { isSealed, ...window } of await this.erasure.listUpper(level, key.serviceId, range)) {
      const isWhole = window.windowStartMs >= range.fromMs && window.windowStartMs + level.windowMs <= range.untilMs;
      // The disk of what a builder replaces is to come back too.
      await inDatabaseTransaction(this.dataSource, async ({ client }) => {
        const tables = await this.erasure.tablesOf(client, level, window);
        await this.deletions.noteRemoved(client, key, { rows: 0, tables });
      });
      if (!isSealed && (await this.#isMadeAnew(level, window))) continue;
      if (!isWhole) throw rangeUneven(`the ${level.name} of an end of it was merged for good since it was ordered`);
      await withPartitions(
        () => [{ partitions: this.windows.partitions.day, times: [window.windowStartMs] }],
        () =>
          inDatabaseTransaction(this.dataSource, async ({ client }) =>
            this.deletions.noteRemoved(client, key, await this.erasure.eraseSealed(client, level, window)),
          ),
      );
    }
  }

  /** @returns false if it was sealed meanwhile. @throws if others build it all the time */
  async #isMadeAnew(level: UpperLevel, window: WindowKey): Promise<boolean> {
    for (let waits = 0; waits < BUILD_WAITS; waits += 1) {
      await this.upper.build(level, window);
      const state = await inDatabaseTransaction(this.dataSource, ({ client }) => this.windows.lock(client, window, level));
      if (state?.isSealed) return false;
      if (state === undefined || state.sequence === state.builtSequence) return true;
      await sleep(BUILD_WAIT_MS);
    }
    throw new HearthError('DELETION_BUSY', `the ${level.name} ${window.windowStartMs} is being built all the time`, {
      status: 503,
    });
  }
}
