import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { DurationMs } from '@hearth/profile-model';
import { DataSource } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import type { NoteRemoved } from '../../platform/database/remove-rows.js';
import { HearthError, toHearthError } from '../../platform/http/index.js';
import { ComparisonRepository } from '../comparison/index.js';
import { LineRecordings } from '../lines/index.js';
import { ProcessSeries } from '../process-metrics/index.js';
import { ErasureRepository, LEVELS, PinnedTotals, ReceiptRepository, type Labelled } from '../profile-store/index.js';
import { LabelRemover } from '../rollup/index.js';
import { Exemplars, PinnedTransactions, TransactionWindows } from '../transactions/index.js';
import { DeletionDisk } from './deletion-disk.js';
import { Deletions, type DeletionOrder, type LabelSelector } from './deletions.repository.js';

/** Until one finds nothing: only what was on its way is found by the second. */
const MAX_PASSES = 20;
const ALL_TIME = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER } as const;
/** Levels and tables gone through in a pass. */
const STEPS = 10;

/** Removes what had a label when it was ordered: the catalog has let go of its ids since, so nothing new can have them. */
@Injectable()
export class LabelDeletion {
  constructor(
    private readonly dataSource: DataSource,
    private readonly deletions: Deletions,
    private readonly disk: DeletionDisk,
    private readonly erasure: ErasureRepository,
    private readonly remover: LabelRemover,
    private readonly pinned: PinnedTotals,
    private readonly receipts: ReceiptRepository,
    private readonly transactionWindows: TransactionWindows,
    private readonly pinnedTransactions: PinnedTransactions,
    private readonly processSeries: ProcessSeries,
    private readonly lineRecordings: LineRecordings,
    private readonly exemplars: Exemplars,
    private readonly comparisons: ComparisonRepository,
  ) {}

  /** @throws {HearthError} `DELETION_BUSY`, `PROCESS_DETAIL_EXPIRED`; {StoreError} if what is stored is damaged. Once everything else is gone */
  async run(order: DeletionOrder, label: LabelSelector, settledMs: DurationMs): Promise<void> {
    const beganAtMs = Date.now();
    for (let pass = 0; pass < MAX_PASSES; pass += 1) {
      // A batch that was on its way when it was ordered may still be stored: the last pass begins once none can be.
      const isLast = Date.now() >= beganAtMs + settledMs;
      const left = new WindowsLeft();
      const found = await this.#pass(order, label, left);
      if (isLast && found === 0) {
        await this.#removeComparisons(order);
        await this.disk.giveBack(order, STEPS);
        return left.throwIfAny();
      }
      await this.deletions.restartSteps(order);
      await sleep(settledMs);
    }
    throw new HearthError('DELETION_BUSY', 'a server stores with labels that are gone: it is of an older version', {
      status: 503,
    });
  }

  /** @returns Rows that went or were written again. */
  async #pass(order: DeletionOrder, label: LabelSelector, left: WindowsLeft): Promise<number> {
    const { serviceId, createdMs } = order;
    const labelled: Labelled = { labelSetIds: new Set(order.labelSetIds), processIds: new Set(order.processIds) };
    let found = 0;
    const note: NoteRemoved = async (client, removed) => {
      await this.deletions.noteRemoved(client, order, removed);
      found += removed.rows;
    };
    const step = () => this.deletions.addStep(order, STEPS);
    // From the finest level up, as it is merged: what was merged upwards meanwhile is met there.
    for (const level of [LEVELS.minute, LEVELS.hour, LEVELS.day]) {
      for await (const key of this.erasure.candidates(level, serviceId, labelled))
        await left.unless(() => this.remover.remove(level, key, labelled, note));
      await step();
    }
    // After the days, for the same reason.
    for await (const key of this.pinned.days(serviceId))
      await left.unless(() => this.remover.removeFromPinned(key, labelled, note));
    await step();
    // Whatever is in them is in a segment: of live services there are always some, which is no reason for another pass.
    await this.erasure.removeBuiltBlocks(serviceId, async (client, removed) =>
      this.deletions.noteRemoved(client, order, removed),
    );
    await step();
    await this.transactionWindows.removeLabelled(serviceId, order, note);
    await this.pinnedTransactions.removeLabelled(serviceId, order, note);
    await step();
    await this.processSeries.removeProcesses(serviceId, order.processIds, note);
    await step();
    await this.lineRecordings.removeLabelled(serviceId, order, note);
    await step();
    // They say labels themselves. What is sent of it from now on is nobody's order.
    await this.exemplars.removeLabelled(serviceId, { ...order, label: [label.name, label.value], untilMs: createdMs }, note);
    await step();
    await this.receipts.removeProcesses(serviceId, order.processIds, note);
    await step();
    return found;
  }

  /** All of the service: nobody knows which of them counted what is gone. Last: what was asked for meanwhile may be made of what was still there. */
  async #removeComparisons(order: DeletionOrder): Promise<void> {
    await inDatabaseTransaction(this.dataSource, async ({ client }) => {
      const rows = await this.comparisons.removeAbout(client, order.serviceId, ALL_TIME);
      await this.deletions.noteRemoved(client, order, { rows, tables: [] });
    });
  }
}

/** Windows that a pass could not change: one that is damaged or not known well enough keeps nothing else from going. */
class WindowsLeft {
  #count = 0;
  /** The one that the order tells of. */
  #told: unknown;
  #known: HearthError | undefined;

  async unless(change: () => Promise<unknown>): Promise<void> {
    try {
      await change();
    } catch (error) {
      const known = toHearthError(error);
      this.#count += 1;
      // A refusal ends the order for good, so it comes second to what may yet be mended.
      if (this.#known !== undefined && (this.#known.status >= 500 || known.status < 500)) return;
      this.#told = error;
      this.#known = known;
    }
  }

  throwIfAny(): void {
    if (this.#known === undefined) return;
    if (this.#count === 1) throw this.#told;
    const why = this.#told instanceof Error ? this.#told.message : String(this.#told);
    const { code, status } = this.#known;
    throw new HearthError(code, `${this.#count} windows are left as they were, one because: ${why}`, {
      status,
      cause: this.#told,
    });
  }
}
