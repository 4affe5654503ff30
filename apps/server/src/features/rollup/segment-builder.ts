import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import {
  BlockRepository,
  resultOf,
  SegmentRepository,
  WindowRepository,
  type BuildSegmentTask,
  type BuiltSegment,
  type CodedOutcome,
  type WindowKey,
} from '../profile-store/index.js';

const BUILD_FILE = 'features/profile-store/build-segment.worker.js';

/** Turns the blocks of a window into its segment. */
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
   * @throws {StoreError} if a block or the segment is damaged; the window stays pending
   */
  async build(key: WindowKey): Promise<'built' | 'nothing-to-do'> {
    return inDatabaseTransaction(this.dataSource, async ({ client }) => {
      // Lock the window before reading its blocks: a block that arrives meanwhile waits for us, takes the next sequence and
      // makes the window pending again. Locked afterwards, it would count as built without being in the segment.
      const state = await this.windows.lock(client, key);
      if (state === undefined || state.sequence === state.builtSequence) return 'nothing-to-do';
      const blocks = await this.blocks.ofWindow(client, key, state.builtSequence, state.sequence);
      const expected = state.sequence - state.builtSequence;
      if (blocks.length !== expected)
        throw new Error(`window ${JSON.stringify(key)}: ${blocks.length} blocks where ${expected} are pending`);
      // Never from blocks alone: those of the first build may be gone.
      const detail = await this.segments.detailOf(client, key);
      const built = resultOf(
        await this.pool.run<BuildSegmentTask, CodedOutcome<BuiltSegment>>(BUILD_FILE, {
          windowStartMs: key.windowStartMs,
          detail,
          blocks,
        }),
      );
      await this.segments.put(client, key, built);
      await this.windows.setBuilt(client, key, state.sequence);
      return 'built';
    });
  }
}
