import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import { withPartitions, type RowTimes } from '../../platform/database/partitions.js';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import { ProcessStarts } from '../catalog/index.js';
import {
  keyAt,
  LEVELS,
  resultOf,
  SegmentRepository,
  WindowRepository,
  type BuiltSegment,
  type CodedOutcome,
  type MergeSegmentsTask,
  type UpperLevel,
  type WindowKey,
  type WindowState,
} from '../profile-store/index.js';
import { BUILD_FILE, type BuildOutcome } from './segment-builder.js';

/** Merges minutes into hours, and hours into days. */
@Injectable()
export class UpperBuilder {
  constructor(
    private readonly dataSource: DataSource,
    private readonly windows: WindowRepository,
    private readonly segments: SegmentRepository,
    private readonly processStarts: ProcessStarts,
    private readonly pool: WorkerPool,
  ) {}

  /**
   * Makes a window anew from everything below it. Once it is sealed it takes in what came below it since, which is deleted in the same database
   * transaction. Either may run twice, run beside itself, and be killed anywhere.
   *
   * @returns `nothing-to-do` also when another builder was faster, and for a sealed day that holds an hour which is not sealed yet.
   * @throws {StoreError} if a segment is damaged, or would be larger than can be read; the window stays pending, and is not sealed
   */
  async build(level: UpperLevel, key: WindowKey): Promise<BuildOutcome> {
    const read = await this.#readPending(level, key);
    if (read === undefined) return 'nothing-to-do';
    const { state, parts } = read;
    // Without anything below all of it was deleted on purpose: there is nothing to add, or nothing at all.
    const built = parts.below.length === 0 ? undefined : await this.#merged(level, key, parts);
    return withPartitions(
      () => this.#rowTimes(level, key),
      () =>
        inDatabaseTransaction(this.dataSource, async ({ client }) => {
          const now = await this.windows.lock(client, key, level);
          if (now === undefined || !isStill(now, state)) return 'nothing-to-do';
          const added = state.sequence - state.builtSequence;
          // Before the segment, as everybody does who locks both: from here on nobody merges it into its day.
          await this.#raiseAbove(client, level, key, added);
          if (state.isSealed && (await this.segments.has(client, level, key)) !== (parts.base !== undefined)) {
            // It was merged into a sealed day while we computed: what we made would count it again.
            await this.#raiseAbove(client, level, key, -added);
            return 'nothing-to-do';
          }
          if (built !== undefined) await this.segments.put(client, level, key, built);
          else if (!state.isSealed) await this.segments.delete(client, level, key);
          if (state.isSealed) await this.segments.deleteBelow(client, level, key);
          await this.windows.setBuilt(client, key, state.sequence, level);
          return 'built';
        }),
    );
  }

  /**
   * Lets go of everything below a window that holds all of it. What arrives there later is a small segment of its own until `build` takes it in.
   *
   * @returns `kept`: something below it is not in it yet, or it is sealed already.
   */
  async seal(level: UpperLevel, key: WindowKey): Promise<'sealed' | 'kept'> {
    return inDatabaseTransaction(this.dataSource, async ({ client }) => {
      const state = await this.windows.lock(client, key, level);
      if (state === undefined || state.isSealed || state.sequence !== state.builtSequence) return 'kept';
      if (!(await this.windows.isSealedBelow(client, level, key))) return 'kept';
      await this.windows.setSealed(client, level, key);
      await this.segments.deleteBelow(client, level, key);
      return 'sealed';
    });
  }

  /** What goes into the window, as of one moment. */
  async #readPending(level: UpperLevel, key: WindowKey): Promise<{ state: WindowState; parts: Parts } | undefined> {
    return inDatabaseTransaction(this.dataSource, async ({ client }) => {
      // Whoever writes a segment below raises this row first, so nobody does while we hold it.
      const state = await this.windows.lock(client, key, level);
      if (state === undefined || state.sequence === state.builtSequence) return undefined;
      if (state.isSealed && !(await this.windows.isSealedBelow(client, level, key))) return undefined;
      return { state, parts: await this.#parts(client, level, key, state) };
    });
  }

  async #parts(client: ClientBase, level: UpperLevel, key: WindowKey, { isSealed }: WindowState): Promise<Parts> {
    const below = await this.segments.below(client, level, key);
    const base = isSealed ? await this.segments.find(client, level, key) : undefined;
    return { below, base };
  }

  async #raiseAbove(client: ClientBase, level: UpperLevel, key: WindowKey, by: number): Promise<void> {
    if (level.name === 'hour') await this.windows.raise(client, LEVELS.day, keyAt(key, LEVELS.day.windowMs), by);
  }

  async #merged(level: UpperLevel, key: WindowKey, parts: Parts): Promise<BuiltSegment> {
    const startedAtMs =
      level.name === 'hour' ? await this.processStarts.seenSince(key.serviceId, key.windowStartMs) : new Map<number, EpochMs>();
    const task: MergeSegmentsTask = { want: level.name, ...parts, startedAtMs };
    return resultOf(await this.pool.run<MergeSegmentsTask, CodedOutcome<BuiltSegment>>(BUILD_FILE, task));
  }

  #rowTimes(level: UpperLevel, key: WindowKey): RowTimes[] {
    const times = [key.windowStartMs];
    const ofSegments = this.segments.partitions[level.name].map((partitions) => ({ partitions, times }));
    return level.name === 'hour' ? [...ofSegments, { partitions: this.windows.partitions.day, times }] : ofSegments;
  }
}

type Parts = Pick<MergeSegmentsTask, 'base' | 'below'>;

/** Whether what was read is what there is: of a sealed window everything, because what it takes in is deleted; of others what it held. */
function isStill(now: WindowState, read: WindowState): boolean {
  return (
    now.builtSequence === read.builtSequence &&
    now.isSealed === read.isSealed &&
    (!read.isSealed || now.sequence === read.sequence)
  );
}
