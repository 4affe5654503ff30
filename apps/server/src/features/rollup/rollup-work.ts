import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs } from '@hearth/profile-model';
import { JobRunner, Queues, Ticks } from '../../platform/queue/index.js';
import {
  BlockRepository,
  DAY_MS,
  LEVELS,
  ProfileStore,
  SegmentRepository,
  WindowRepository,
  type Level,
  type UpperLevel,
  type WindowKey,
} from '../profile-store/index.js';
import { buildRollup, type BuildRollupPayload, type RollupLevel } from './build-rollup.job.js';
import { FailedWindows } from './failed-windows.js';
import { RollupMetrics } from './rollup-metrics.js';
import { SegmentBuilder, type BuildOutcome } from './segment-builder.js';
import { UpperBuilder } from './upper-builder.js';

/**
 * How long after its end a minute is built. A flush of 10 s that starts in its last second arrives up to 11 s after the
 * end; what comes later makes the window pending again. Readers see blocks at once, built or not.
 */
const BUILD_MINUTE_AFTER_MS: DurationMs = 20_000;
/** Hours and days are made anew each time something below them changes: most of what comes late should be there. */
const BUILD_HOUR_AFTER_MS: DurationMs = 120_000;
const BUILD_DAY_AFTER_MS: DurationMs = 600_000;
const LOOK_EVERY_MS: DurationMs = 5_000;
const LOOK_AT_UPPER_EVERY_MS: DurationMs = 60_000;
const DROP_EVERY_MS: DurationMs = 60_000;
/** Windows queued in one look; the next comes soon. */
const MAX_WINDOWS = 2_000;
/** A partition is left alone for so long after its hour: requests of that hour may still be under way. */
const DROP_AFTER_MS: DurationMs = 5 * 60_000;
/** A day is left alone for so long after its end: longer than late profiles are accepted, which would make it anew. */
const DROP_EMPTY_AFTER_MS: DurationMs = 9 * DAY_MS;
const CONCURRENT_BUILDS = 2;

interface LevelWork {
  readonly name: RollupLevel;
  readonly level: Level;
  readonly buildAfterMs: DurationMs;
  readonly failed: FailedWindows;
  readonly build: (key: WindowKey) => Promise<BuildOutcome>;
}

/** What the worker role does to turn blocks into minutes, minutes into hours, and hours into days. */
@Injectable()
export class RollupWork {
  readonly #levels: readonly LevelWork[];

  constructor(
    private readonly windows: WindowRepository,
    private readonly blocks: BlockRepository,
    private readonly store: ProfileStore,
    private readonly segments: SegmentRepository,
    builder: SegmentBuilder,
    private readonly upper: UpperBuilder,
    private readonly queues: Queues,
    private readonly metrics: RollupMetrics,
    jobRunner: JobRunner,
    ticks: Ticks,
  ) {
    const ofUpper = (name: RollupLevel, level: UpperLevel, buildAfterMs: DurationMs): LevelWork => ({
      name,
      level,
      buildAfterMs,
      failed: new FailedWindows(),
      build: async (key) => this.upper.build(level, key),
    });
    this.#levels = [
      {
        name: '1m',
        level: LEVELS.minute,
        buildAfterMs: BUILD_MINUTE_AFTER_MS,
        failed: new FailedWindows(),
        build: async (key) => builder.build(key),
      },
      ofUpper('1h', LEVELS.hour, BUILD_HOUR_AFTER_MS),
      ofUpper('1d', LEVELS.day, BUILD_DAY_AFTER_MS),
    ];
    jobRunner.handle(buildRollup, (payload) => this.buildWindows(payload), CONCURRENT_BUILDS);
    ticks.every('queue pending windows', LOOK_EVERY_MS, async () => {
      await this.queuePending('1m');
      await this.measureBacklog();
    });
    ticks.every('queue pending hours and days', LOOK_AT_UPPER_EVERY_MS, async () => {
      await this.queuePending('1h');
      await this.queuePending('1d');
    });
    ticks.every('partitions', DROP_EVERY_MS, async () => {
      await this.store.createPartitionsAhead();
      await this.dropBuiltPartitions();
      await this.dropEmptyPartitions();
    });
  }

  /** Queues every window that has ended and has something pending. The tables of windows are the truth: the queue may be emptied at any time. */
  async queuePending(name: RollupLevel, nowMs: EpochMs = Date.now(), maxWindows = MAX_WINDOWS): Promise<void> {
    const { level, buildAfterMs, failed } = this.#work(name);
    failed.forgetOld(nowMs);
    // More by those that may rest: they are the oldest, and would fill the list before anybody else's.
    const pending = await this.windows.listPending(nowMs - level.windowMs - buildAfterMs, maxWindows + failed.size, level);
    const awake = pending.filter((key) => !failed.isResting(key, nowMs)).slice(0, maxWindows);
    const payloads = new Map<string, BuildRollupPayload>();
    for (const { serviceId, windowStartMs } of awake)
      payloads.set(`${serviceId}.${windowStartMs}`, { serviceId, level: name, windowStartMs });
    for (const payload of payloads.values()) await this.queues.add(buildRollup, payload);
  }

  async measureBacklog(nowMs: EpochMs = Date.now()): Promise<void> {
    const { count, oldestWindowStartMs } = await this.windows.pendingBacklog();
    this.metrics.pendingWindows.set(count);
    this.metrics.oldestPendingSeconds.set(oldestWindowStartMs === null ? 0 : (nowMs - oldestWindowStartMs) / 1000);
  }

  /** @throws {AggregateError} what went wrong, once the other windows of that time are built */
  async buildWindows({ serviceId, level: name, windowStartMs }: BuildRollupPayload, nowMs: EpochMs = Date.now()): Promise<void> {
    const { level, failed, build } = this.#work(name);
    const faults: unknown[] = [];
    for (const key of await this.windows.listPendingOf(serviceId, windowStartMs, level)) {
      if (failed.isResting(key, nowMs)) continue;
      try {
        const measured = this.metrics.buildSeconds.startTimer();
        await build(key);
        measured();
        failed.remove(key);
      } catch (error) {
        failed.add(key, nowMs);
        faults.push(error);
      }
    }
    if (faults.length > 0)
      throw new AggregateError(
        faults,
        `${faults.length} windows of ${level.name} ${windowStartMs} of service ${serviceId}: ${String(faults[0])}`,
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

  /**
   * Lets go of what is below the windows of `level` that ended before `beforeMs`, of these services.
   *
   * @returns How many windows were sealed, a few thousand at most: the rest the next time.
   */
  async seal(level: UpperLevel, beforeMs: EpochMs, serviceIds: readonly number[]): Promise<number> {
    let sealed = 0;
    for (const key of await this.windows.listSealable(level, { beforeMs, serviceIds }, MAX_WINDOWS))
      if ((await this.upper.seal(level, key)) === 'sealed') sealed += 1;
    return sealed;
  }

  /**
   * Drops partitions of windows and segments that hold nothing (any more). A row that comes after all makes its partition anew.
   *
   * @returns How many.
   */
  async dropEmptyPartitions(nowMs: EpochMs = Date.now()): Promise<number> {
    const [oldestBlocks] = await this.blocks.partitions.list();
    const candidates = [
      ...(await this.segments.droppable(nowMs - DROP_EMPTY_AFTER_MS)),
      ...(await this.windows.droppable(nowMs - DROP_EMPTY_AFTER_MS, oldestBlocks?.startMs ?? nowMs)),
    ];
    let dropped = 0;
    for (const { partitions, partition, mayDrop } of candidates) {
      if ((await partitions.drop(partition, mayDrop)) === 'dropped') dropped += 1;
    }
    return dropped;
  }

  #work(name: RollupLevel): LevelWork {
    return this.#levels.find((one) => one.name === name)!;
  }
}
