import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs } from '@hearth/profile-model';
import { JobRunner, Queues, Ticks } from '../../platform/queue/index.js';
import { BlockRepository, ProfileStore, WINDOW_MS, WindowRepository } from '../profile-store/index.js';
import { buildRollup, type BuildRollupPayload } from './build-rollup.job.js';
import { FailedWindows } from './failed-windows.js';
import { RollupMetrics } from './rollup-metrics.js';
import { SegmentBuilder } from './segment-builder.js';

/**
 * How long after its end a window is built. A flush of 10 s that starts in its last second arrives up to 11 s after the
 * end; what comes later makes the window pending again. Readers see blocks at once, built or not.
 */
const BUILD_AFTER_MS: DurationMs = 20_000;
const LOOK_EVERY_MS: DurationMs = 5_000;
const DROP_EVERY_MS: DurationMs = 60_000;
/** Windows queued in one look; the next comes soon. */
const MAX_WINDOWS = 2_000;
/** A partition is left alone for so long after its hour: requests of that hour may still be under way. */
const DROP_AFTER_MS: DurationMs = 5 * 60_000;
const CONCURRENT_BUILDS = 2;

/** What the worker role does to turn blocks into segments. */
@Injectable()
export class RollupWork {
  readonly #failed = new FailedWindows();

  constructor(
    private readonly windows: WindowRepository,
    private readonly blocks: BlockRepository,
    private readonly store: ProfileStore,
    private readonly builder: SegmentBuilder,
    private readonly queues: Queues,
    private readonly metrics: RollupMetrics,
    jobRunner: JobRunner,
    ticks: Ticks,
  ) {
    jobRunner.handle(buildRollup, (payload) => this.buildMinute(payload), CONCURRENT_BUILDS);
    ticks.every('queue pending windows', LOOK_EVERY_MS, async () => {
      await this.queuePending();
      await this.measureBacklog();
    });
    ticks.every('block partitions', DROP_EVERY_MS, async () => {
      await this.store.createPartitionsAhead();
      await this.dropBuiltPartitions();
    });
  }

  /** Queues every minute that has ended and has something pending. The table of windows is the truth: the queue may be emptied at any time. */
  async queuePending(nowMs: EpochMs = Date.now(), maxWindows = MAX_WINDOWS): Promise<void> {
    this.#failed.forgetOld(nowMs);
    // More by those that may rest: they are the oldest, and would fill the list before anybody else's.
    const pending = await this.windows.listPending(nowMs - WINDOW_MS - BUILD_AFTER_MS, maxWindows + this.#failed.size);
    const awake = pending.filter((key) => !this.#failed.isResting(key, nowMs)).slice(0, maxWindows);
    const minutes = new Map<string, BuildRollupPayload>();
    for (const { serviceId, windowStartMs } of awake)
      minutes.set(`${serviceId}.${windowStartMs}`, { serviceId, level: '1m', windowStartMs });
    for (const minute of minutes.values()) await this.queues.add(buildRollup, minute);
  }

  async measureBacklog(nowMs: EpochMs = Date.now()): Promise<void> {
    const { count, oldestWindowStartMs } = await this.windows.pendingBacklog();
    this.metrics.pendingWindows.set(count);
    this.metrics.oldestPendingSeconds.set(oldestWindowStartMs === null ? 0 : (nowMs - oldestWindowStartMs) / 1000);
  }

  /** @throws {AggregateError} what went wrong, once the other windows of the minute are built */
  async buildMinute({ serviceId, windowStartMs }: BuildRollupPayload, nowMs: EpochMs = Date.now()): Promise<void> {
    const faults: unknown[] = [];
    for (const key of await this.windows.listPendingOf(serviceId, windowStartMs)) {
      if (this.#failed.isResting(key, nowMs)) continue;
      try {
        const measured = this.metrics.buildSeconds.startTimer();
        await this.builder.build(key);
        measured();
        this.#failed.remove(key);
      } catch (error) {
        this.#failed.add(key, nowMs);
        faults.push(error);
      }
    }
    if (faults.length > 0)
      throw new AggregateError(
        faults,
        `${faults.length} windows of minute ${windowStartMs} of service ${serviceId}: ${String(faults[0])}`,
      );
  }

  /** Drops the block partitions of past hours whose blocks are all in segments. @returns How many. */
  async dropBuiltPartitions(nowMs: EpochMs = Date.now()): Promise<number> {
    let dropped = 0;
    for (const partition of await this.blocks.partitions.list()) {
      if (partition.endMs + DROP_AFTER_MS > nowMs) continue;
      if (!(await this.blocks.hasOnlyBuilt(partition))) continue; // looked at without a lock: usually that is the end of it
      if ((await this.blocks.partitions.drop(partition, (client) => this.blocks.hasOnlyBuilt(partition, client))) === 'dropped')
        dropped += 1;
    }
    return dropped;
  }
}
