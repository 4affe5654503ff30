import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import { withPartitions } from '../../platform/database/partitions.js';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import {
  BlockRepository,
  keyAt,
  LEVELS,
  resultOf,
  SegmentRepository,
  WindowRepository,
  type BuildSegmentTask,
  type BuiltSegment,
  type CodedOutcome,
  type WindowKey,
} from '../profile-store/index.js';

export const BUILD_FILE = 'features/profile-store/build-segment.worker.js';

export type BuildOutcome = 'built' | 'nothing-to-do';

/** Turns the blocks of a minute into its segment. */
@Injectable()
export class SegmentBuilder {
  constructor(
    private readonly dataSource: DataSource,
    private readonly windows: WindowRepository,
    private readonly blocks: BlockRepository,
    private readonly segments: SegmentRepository,
    private readonly pool: WorkerPool,
  ) {}

  /**
   * Adds the blocks that the window's segment does not hold yet. The segment and the note of what it holds change in one
   * database transaction, so it may run twice, run beside itself, and be killed anywhere.
   *
   * @returns `nothing-to-do` also when another builder was faster; what arrived since is still pending then.
   * @throws {StoreError} if a block or the segment is damaged, or it would be larger than can be read; the window stays pending
   */
  async build(key: WindowKey): Promise<BuildOutcome> {
    const pending = await this.#readPending(key);
    if (pending === undefined) return 'nothing-to-do';
    const { sequence, builtSequence, task } = pending;
    // Without the lock: every sender of this minute waits for whoever holds it, and a thread may be long in coming.
    const built = resultOf(await this.pool.run<BuildSegmentTask, CodedOutcome<BuiltSegment>>(BUILD_FILE, task));
    const hour = keyAt(key, LEVELS.hour.windowMs);
    const rows = [
      ...this.segments.partitions.minute.map((partitions) => ({ partitions, times: [key.windowStartMs] })),
      { partitions: this.windows.partitions.hour, times: [key.windowStartMs] },
    ];
    return withPartitions(
      () => rows,
      () =>
        inDatabaseTransaction(this.dataSource, async ({ client }) => {
          const now = await this.windows.lock(client, key);
          // The segment we began from is no longer the stored one.
          if (now?.builtSequence !== builtSequence) return 'nothing-to-do';
          // Before the segment, as everybody does who locks both: from here on nobody merges it into its hour.
          await this.windows.raise(client, LEVELS.hour, hour, sequence - builtSequence);
          if ((await this.segments.has(client, LEVELS.minute, key)) !== (task.detail !== undefined)) {
            // It was merged into a sealed hour while we computed: what we made would count it again.
            await this.windows.raise(client, LEVELS.hour, hour, builtSequence - sequence);
            return 'nothing-to-do';
          }
          await this.segments.put(client, LEVELS.minute, key, built);
          // What we read, not what is there now: a block that arrived since leaves the window pending.
          await this.windows.setBuilt(client, key, sequence);
          return 'built';
        }),
    );
  }

  /** The blocks that wait and the segment they go into, as of one moment. */
  async #readPending(key: WindowKey): Promise<{ sequence: number; builtSequence: number; task: BuildSegmentTask } | undefined> {
    return inDatabaseTransaction(this.dataSource, async ({ client }) => {
      // Lock the window before reading its blocks: of those up to its sequence none is still to be committed, and no other
      // builder changes the segment between our two reads.
      const state = await this.windows.lock(client, key);
      if (state === undefined || state.sequence === state.builtSequence) return undefined;
      const blocks = await this.blocks.ofWindow(client, key, state.builtSequence, state.sequence);
      const expected = state.sequence - state.builtSequence;
      if (blocks.length !== expected)
        throw new Error(`window ${JSON.stringify(key)}: ${blocks.length} blocks where ${expected} are pending`);
      // Never from blocks alone: those of the first build may be gone.
      const segment = await this.segments.find(client, LEVELS.minute, key);
      const task = { want: 'minute', windowStartMs: key.windowStartMs, detail: segment?.detail ?? undefined, blocks } as const;
      return { ...state, task };
    });
  }
}
