import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import { withPartitions } from '../../platform/database/partitions.js';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import { PinnedRevisions } from '../catalog/index.js';
import {
  EMPTY_DETAIL,
  LEVELS,
  PinnedTotals,
  resultOf,
  SegmentRepository,
  WindowRepository,
  type CodedOutcome,
  type KeptDay,
  type RepointTask,
  type WindowKey,
} from '../profile-store/index.js';
import { epochOf, holdEpochs, readStackHeads, StackDictionaries, type InternedStacks, type UsedEpoch } from '../stacks/index.js';
import { PinnedTransactions } from '../transactions/index.js';
import type { KeepPinnedPayload } from './keep-pinned.job.js';

const REPOINT_FILE = 'features/profile-store/repoint-detail.worker.js';
/** Days that one job moves, about; the rest the next time. */
const MAX_DAYS = 2_000;
/** Days that are looked at together. */
const PAGE = 500;

/** A past day, and what is kept of it already, as of one moment. */
interface PastDay {
  readonly sequence: number;
  readonly detail: Buffer;
  /** The dictionary of its month; `undefined`: there is none, and it names no stacks. */
  readonly epoch: UsedEpoch | undefined;
  readonly kept: KeptDay | undefined;
}

/**
 * Moves what is past of pinned revisions to where no retention looks: days with their stacks, and transactions by day.
 *
 * A day moves in one database transaction, which deletes it where it was: at every moment it is in one of the two places, and until then it keeps
 * its month's stacks from being dropped. What comes late makes a new day, which is added when it is past in its turn.
 */
@Injectable()
export class PinKeeper {
  constructor(
    private readonly dataSource: DataSource,
    private readonly pins: PinnedRevisions,
    private readonly windows: WindowRepository,
    private readonly segments: SegmentRepository,
    private readonly totals: PinnedTotals,
    private readonly transactions: PinnedTransactions,
    private readonly dictionaries: StackDictionaries,
    private readonly pool: WorkerPool,
  ) {}

  /** @throws {AggregateError} what went wrong, once everything else is kept */
  async keep({ daysBeforeMs, transactionsBeforeMs, ...pin }: KeepPinnedPayload): Promise<void> {
    const faults = await this.#keepDays(pin, daysBeforeMs);
    const openDays = await this.windows.listOpenDays(pin, transactionsBeforeMs);
    for (const hourStartMs of await this.transactions.listHours(pin, transactionsBeforeMs, openDays))
      await this.#keepHour(pin, hourStartMs);
    if (faults.length > 0)
      throw new AggregateError(
        faults,
        `${faults.length} days of revision ${pin.revisionId} of service ${pin.serviceId}: ${String(faults[0])}`,
      );
  }

  /** Comes to every day: those that cannot be kept stay where they are, and newer ones wait behind none of them. @returns What went wrong */
  async #keepDays(pin: Pick<WindowKey, 'serviceId' | 'revisionId'>, beforeMs: EpochMs): Promise<unknown[]> {
    const faults: unknown[] = [];
    let kept = 0;
    let after: WindowKey | undefined;
    do {
      const days = await this.windows.listPastDays(pin, beforeMs, PAGE, after);
      for (const key of days) {
        try {
          if ((await this.keepDay(key)) === 'kept') kept += 1;
        } catch (error) {
          faults.push(error);
        }
      }
      after = days.length === PAGE ? days.at(-1) : undefined;
    } while (after !== undefined && kept < MAX_DAYS);
    return faults;
  }

  /**
   * @returns `nothing-to-do`: it is not past (any more), somebody else was faster, or the revision is pinned no more.
   * @throws {StoreError} if it is damaged; it stays where it is
   */
  async keepDay(key: WindowKey): Promise<'kept' | 'nothing-to-do'> {
    const day = await inDatabaseTransaction(this.dataSource, ({ client }) => this.#read(client, key));
    if (day === undefined) return 'nothing-to-do';
    const stackIds = await this.#inPool<Int32Array>({ want: 'stack-ids', detail: day.detail });
    const move = async ({ ids, usedEpoch }: InternedStacks) => {
      const task = { want: 'detail', detail: day.detail, stackIds, newStackIds: ids, base: day.kept?.detail } as const;
      return this.#move(key, day, Buffer.from(await this.#inPool<Uint8Array>(task)), usedEpoch);
    };
    if (stackIds.length === 0 || day.epoch === undefined) return move({ ids: new Int32Array(), usedEpoch: undefined });
    return this.dictionaries.pin(day.epoch, key.revisionId, stackIds, move);
  }

  async #move(key: WindowKey, day: PastDay, detail: Buffer, usedEpoch: UsedEpoch | undefined): Promise<'kept' | 'nothing-to-do'> {
    return withPartitions(
      () => [{ partitions: this.totals.partitions, times: [key.windowStartMs] }],
      () =>
        inDatabaseTransaction(this.dataSource, async ({ client }) => {
          await holdEpochs(client, usedEpoch === undefined ? [] : [usedEpoch]);
          if (!(await this.pins.hold(client, key)) || !(await this.#isStill(client, key, day))) return 'nothing-to-do';
          await this.totals.put(client, key, { detail, sequence: (day.kept?.sequence ?? 0) + day.sequence });
          await this.windows.removeDay(client, key);
          await this.segments.delete(client, LEVELS.day, key);
          return 'kept';
        }),
    );
  }

  async #read(client: ClientBase, key: WindowKey): Promise<PastDay | undefined> {
    const state = await this.windows.lock(client, key, LEVELS.day);
    if (!state?.isSealed || state.sequence !== state.builtSequence) return undefined;
    const segment = await this.segments.find(client, LEVELS.day, key);
    // Totals alone cannot be kept by process: such a day stays what it is. One without any was deleted on purpose.
    const detail = segment === undefined ? EMPTY_DETAIL : segment.detail;
    if (detail === null) return undefined;
    const month = epochOf(key.windowStartMs);
    const [epoch] = await readStackHeads(client, key.serviceId, month, month);
    return { sequence: state.sequence, detail, epoch, kept: await this.totals.find(client, key) };
  }

  async #isStill(client: ClientBase, key: WindowKey, day: PastDay): Promise<boolean> {
    const now = await this.windows.lock(client, key, LEVELS.day);
    if (!now?.isSealed || now.sequence !== day.sequence || now.builtSequence !== day.sequence) return false;
    return (await this.totals.find(client, key))?.sequence === day.kept?.sequence;
  }

  async #keepHour(pin: Pick<WindowKey, 'serviceId' | 'revisionId'>, hourStartMs: number): Promise<void> {
    await withPartitions(
      () => [{ partitions: this.transactions.partitions, times: [hourStartMs] }],
      () =>
        inDatabaseTransaction(this.dataSource, async ({ client }) => {
          if (await this.pins.hold(client, pin)) await this.transactions.keep(client, pin, hourStartMs);
        }),
    );
  }

  async #inPool<Result extends Int32Array | Uint8Array>(task: RepointTask): Promise<Result> {
    return resultOf(await this.pool.run<RepointTask, CodedOutcome<Result>>(REPOINT_FILE, task));
  }
}
