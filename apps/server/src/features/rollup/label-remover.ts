import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import { withPartitions, type RowTimes } from '../../platform/database/partitions.js';
import type { NoteRemoved } from '../../platform/database/remove-rows.js';
import { HearthError } from '../../platform/http/index.js';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import {
  BlockRepository,
  ErasureRepository,
  keyAt,
  LEVELS,
  PinnedTotals,
  resultOf,
  SegmentRepository,
  WindowRepository,
  type BuiltSegment,
  type CodedOutcome,
  type Labelled,
  type Level,
  type RemoveFromDetailTask,
  type RemoveLabelledTask,
  type UpperLevel,
  type WindowKey,
  type WindowState,
} from '../profile-store/index.js';

const REMOVE_FILE = 'features/profile-store/remove-labelled.worker.js';
/** Of one window, while builders change it too. */
const MAX_TRIES = 10;

/** Something else changed the window meanwhile; what was computed is thrown away. */
type Try = 'removed' | 'clean' | 'again';

/**
 * Takes label sets and processes out of merged profiles, and out of the blocks behind them. As builders do: what there is is read under the
 * window's lock, the rest computed without it, and written only if the window is still what it was. So it may run twice, beside itself and
 * beside builders, and be killed anywhere.
 */
@Injectable()
export class LabelRemover {
  constructor(
    private readonly dataSource: DataSource,
    private readonly windows: WindowRepository,
    private readonly blocks: BlockRepository,
    private readonly segments: SegmentRepository,
    private readonly erasure: ErasureRepository,
    private readonly pinned: PinnedTotals,
    private readonly pool: WorkerPool,
  ) {}

  /**
   * @param note - What went, in the database transaction in which it did.
   * @returns Whether there was anything.
   * @throws {StoreError} if what is stored is damaged; {HearthError} `DELETION_BUSY`, `PROCESS_DETAIL_EXPIRED`
   */
  async remove(level: Level, key: WindowKey, labelled: Labelled, note: NoteRemoved): Promise<boolean> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const outcome = await withPartitions(
        () => this.#rowTimes(level, key),
        () => (isUpper(level) ? this.#fromUpper(level, key, labelled, note) : this.#fromMinute(key, labelled, note)),
      );
      if (outcome !== 'again') return outcome === 'removed';
    }
    throw new HearthError('DELETION_BUSY', `the ${level.name} ${key.windowStartMs} changes all the time`, { status: 503 });
  }

  /** The same of a day that is kept for a pinned revision. */
  async removeFromPinned(key: WindowKey, labelled: Labelled, note: NoteRemoved): Promise<boolean> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const outcome = await this.#fromPinned(key, labelled, note);
      if (outcome !== 'again') return outcome === 'removed';
    }
    throw new HearthError('DELETION_BUSY', `the kept day ${key.windowStartMs} changes all the time`, { status: 503 });
  }

  async #fromPinned(key: WindowKey, labelled: Labelled, note: NoteRemoved): Promise<Try> {
    const kept = await inDatabaseTransaction(this.dataSource, ({ client }) => this.pinned.find(client, key));
    if (kept === undefined) return 'clean';
    const { sequence, detail } = kept;
    const task = { want: 'detail', detail, labelled } as const;
    const left = resultOf(await this.pool.run<RemoveFromDetailTask, CodedOutcome<Uint8Array | undefined>>(REMOVE_FILE, task));
    if (left === undefined) return 'clean';
    return inDatabaseTransaction(this.dataSource, async ({ client }) => {
      if ((await this.pinned.find(client, key))?.sequence !== sequence) return 'again';
      // One more, so that neither an answer that was kept nor who adds to it takes it for what it was.
      await this.pinned.put(client, key, { sequence: sequence + 1, detail: Buffer.from(left) });
      await note(client, { rows: 1, tables: await this.pinned.tableOf(client, key) });
      return 'removed';
    });
  }

  async #fromMinute(key: WindowKey, labelled: Labelled, note: NoteRemoved): Promise<Try> {
    const { state, task } = await inDatabaseTransaction(this.dataSource, async ({ client }) => {
      const locked = await this.windows.lockOrMake(client, key);
      const stored = await this.blocks.ofWindow(client, key, locked.builtSequence, locked.sequence);
      const segment = await this.segments.find(client, LEVELS.minute, key);
      const detail = segment?.detail ?? undefined;
      return {
        state: locked,
        task: { want: 'minute', windowStartMs: key.windowStartMs, detail, blocks: stored, labelled } as const,
      };
    });
    const left = await this.#leftOf(task);
    if (left === undefined) return 'clean';
    return inDatabaseTransaction(this.dataSource, async ({ client }) => {
      const now = await this.windows.lock(client, key);
      if (now?.builtSequence !== state.builtSequence) return 'again';
      const hour = keyAt(key, LEVELS.hour.windowMs);
      // The hour before the segment, as everybody does who locks both.
      await this.windows.lock(client, hour, LEVELS.hour);
      if ((await this.segments.has(client, LEVELS.minute, key)) !== (task.detail !== undefined)) return 'again';
      await this.segments.put(client, LEVELS.minute, key, left);
      const tables = await this.erasure.tablesOf(client, LEVELS.minute, key);
      const { removed, raisedBy } = await this.erasure.replaceBlocks(client, key, state.sequence, now.sequence);
      await this.windows.raise(client, LEVELS.hour, hour, state.sequence - state.builtSequence + raisedBy);
      await note(client, { rows: removed.rows + 1, tables: [...tables, ...removed.tables] });
      return 'removed';
    });
  }

  async #fromUpper(level: UpperLevel, key: WindowKey, labelled: Labelled, note: NoteRemoved): Promise<Try> {
    const read = await inDatabaseTransaction(this.dataSource, async ({ client }) => {
      const locked = await this.windows.lock(client, key, level);
      const found = await this.segments.find(client, level, key);
      return { state: locked, segment: found };
    });
    const { state, segment } = read;
    if (segment === undefined) return 'clean';
    if (state === undefined) throw new Error(`the ${level.name} ${JSON.stringify(key)} has profiles and no window`);
    if (segment.detail === null && labelled.processIds.size > 0) throw detailExpired(key);
    const left = await this.#leftOf({ want: 'upper', ...segment, labelled });
    if (left === undefined) return 'clean';
    return inDatabaseTransaction(this.dataSource, async ({ client }) => {
      const now = await this.windows.lock(client, key, level);
      if (now === undefined || !isStill(now, state)) return 'again';
      if (level.name === 'hour') await this.windows.lock(client, keyAt(key, LEVELS.day.windowMs), LEVELS.day);
      // It may have been merged into a sealed day while we computed.
      if (!(await this.segments.has(client, level, key))) return 'again';
      await this.windows.countChange(client, level, key);
      await this.segments.put(client, level, key, left);
      await note(client, { rows: 1, tables: await this.erasure.tablesOf(client, level, key) });
      return 'removed';
    });
  }

  async #leftOf(task: RemoveLabelledTask): Promise<BuiltSegment | undefined> {
    return resultOf(await this.pool.run<RemoveLabelledTask, CodedOutcome<BuiltSegment | undefined>>(REMOVE_FILE, task));
  }

  #rowTimes(level: Level, key: WindowKey): RowTimes[] {
    const times = [key.windowStartMs];
    const { minute, hour, day } = this.windows.partitions;
    if (level.name === 'hour') return [{ partitions: day, times }];
    if (level.name === 'day') return [];
    const ofSegments = this.segments.partitions.minute.map((partitions) => ({ partitions, times }));
    return [{ partitions: minute, times }, { partitions: hour, times }, ...ofSegments];
  }
}

function isUpper(level: Level): level is UpperLevel {
  return level.name !== 'minute';
}

function isStill(now: WindowState, read: WindowState): boolean {
  return now.builtSequence === read.builtSequence && now.isSealed === read.isSealed;
}

function detailExpired({ windowStartMs }: WindowKey): HearthError {
  return new HearthError(
    'PROCESS_DETAIL_EXPIRED',
    `what single processes did on ${new Date(windowStartMs).toISOString()} is no longer known, so they cannot be taken out of that day`,
    { status: 410 },
  );
}
