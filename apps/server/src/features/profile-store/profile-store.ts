import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import { DataSource } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import { withPartitions, type RowTimes } from '../../platform/database/partitions.js';
import { encodeLineCosts, LineRecordings, type LineRecording } from '../lines/index.js';
import { ProcessSeries, type ProcessMeasurement } from '../process-metrics/index.js';
import { holdEpochs } from '../stacks/index.js';
import { Exemplars, TransactionWindows, type Exemplar, type TransactionWindow } from '../transactions/index.js';
import { assertStorable, type BatchToStore, type StoreOutcome } from './batch-to-store.js';
import { encodeBlock } from './block-codec.js';
import { BlockRepository, type BlockRow } from './block.repository.js';
import { ReceiptRepository } from './receipt.repository.js';
import { HOUR_MS, windowStart, windowText, type WindowKey } from './window.js';
import { WindowRepository } from './window.repository.js';

/** A batch on its way into the database: its identity, and its blocks already as bytes. */
interface PreparedBatch {
  readonly batch: BatchToStore;
  /** `undefined`: it has none and is always stored. */
  readonly identity: string | undefined;
  readonly blocks: readonly { readonly window: WindowKey; readonly data: Uint8Array }[];
  readonly lineRecordings: readonly LineRecording[];
  readonly exemplars: readonly Exemplar[];
}

/** Takes in what agents measured. */
@Injectable()
export class ProfileStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly receipts: ReceiptRepository,
    private readonly windows: WindowRepository,
    private readonly blocks: BlockRepository,
    private readonly transactionWindows: TransactionWindows,
    private readonly processSeries: ProcessSeries,
    private readonly lineRecordings: LineRecordings,
    private readonly exemplars: Exemplars,
  ) {}

  /**
   * Stores many batches in one database transaction: all of them, or none if it rejects. What was stored is durable and
   * visible to readers when it resolves. Call it from as many places at once as you like.
   *
   * Every statement locks its rows in key order, and all callers run the statements in the same order, so callers wait
   * for one another but never in a circle.
   *
   * @returns For each batch whether it was new.
   * @throws {StoreError} `BATCH_COLUMNS`: a batch that cannot be stored; check with `assertStorable` to refuse it alone
   * @throws {StackError} `STACK_EPOCH_GONE`: the stack ids of a batch mean nothing any more; intern its stacks again
   */
  async storeBatches(batches: readonly BatchToStore[]): Promise<StoreOutcome[]> {
    const prepared = batches.map(prepareBatch);
    const nameIds = await this.processSeries.prepare(batches.map(measurementOf));
    const startsMs = batches.map(({ startMs }) => startMs);
    const { outcomes, floors } = await withPartitions(
      () => [
        ...this.#partitionsByDay(startsMs),
        ...this.#partitionsAhead(Date.now()),
        {
          partitions: this.lineRecordings.partitions,
          times: prepared.flatMap(({ lineRecordings }) => lineRecordings.map(({ startMs }) => startMs)),
        },
        {
          partitions: this.exemplars.partitions,
          times: prepared.flatMap(({ exemplars }) => exemplars.map(({ windowStartMs }) => windowStartMs)),
        },
      ],
      () =>
        inDatabaseTransaction(this.dataSource, async ({ client }) => {
          const nowMs = Date.now();
          const fresh = await this.#takeReceipts(client, prepared, nowMs);
          await holdEpochs(
            client,
            fresh.flatMap(({ batch: { usedEpoch } }) => usedEpoch ?? []),
          );
          await this.transactionWindows.add(
            client,
            fresh.flatMap(({ batch }) => transactionWindowsOf(batch)),
          );
          await this.processSeries.add(
            client,
            fresh.map(({ batch }) => measurementOf(batch)),
            nameIds,
          );
          await this.lineRecordings.add(
            client,
            fresh.flatMap(({ lineRecordings }) => lineRecordings),
          );
          const floors = await this.exemplars.add(
            client,
            fresh.flatMap(({ exemplars }) => exemplars),
          );
          // The windows last: other writers and the builders wait for these rows.
          await this.#storeBlocks(client, fresh, windowStart(nowMs, HOUR_MS));
          const stored = new Set(fresh);
          return { outcomes: prepared.map((one): StoreOutcome => (stored.has(one) ? 'stored' : 'duplicate')), floors };
        }),
    );
    this.exemplars.learn(floors);
    return outcomes;
  }

  /** The partitions of this hour and the next, and of the day that holds them. Free while they are known to be there. */
  async createPartitionsAhead(nowMs = Date.now()): Promise<void> {
    for (const { partitions, times } of this.#partitionsAhead(nowMs)) await partitions.ensure(times);
  }

  #partitionsAhead(nowMs: EpochMs): RowTimes[] {
    const times = [nowMs, nowMs + HOUR_MS];
    return [...this.#partitionsByDay(times), { partitions: this.blocks.partitions, times }];
  }

  #partitionsByDay(times: readonly EpochMs[]): RowTimes[] {
    return [
      { partitions: this.windows.partitions.minute, times },
      { partitions: this.transactionWindows.partitions, times },
      { partitions: this.processSeries.partitions, times },
    ];
  }

  /** Batches that were not stored before, each identity once. */
  async #takeReceipts(client: Client, prepared: readonly PreparedBatch[], nowMs: number): Promise<PreparedBatch[]> {
    const first = new Map<string, PreparedBatch>();
    for (const one of prepared) if (one.identity !== undefined && !first.has(one.identity)) first.set(one.identity, one);
    const identified = [...first.values()].map(({ batch }) => batch);
    const newBatches = await this.receipts.addBatches(
      client,
      identified.flatMap(({ serviceId, processId, sequence }) => (sequence === null ? [] : [{ serviceId, processId, sequence }])),
      nowMs,
    );
    const newUploads = await this.receipts.addUploads(
      client,
      identified.flatMap(({ serviceId, sequence, receiptKey }) => (sequence === null ? [{ serviceId, key: receiptKey! }] : [])),
      nowMs,
    );
    const added = new Set([...newBatches.map(batchIdentity), ...newUploads.map(uploadIdentity)]);
    return prepared.filter((one) => one.identity === undefined || (added.has(one.identity) && first.get(one.identity) === one));
  }

  async #storeBlocks(client: Client, fresh: readonly PreparedBatch[], arrivedHourMs: number): Promise<void> {
    const wanted = new Map<string, WindowKey & { blocks: number }>();
    for (const { window } of fresh.flatMap((one) => one.blocks)) {
      const key = windowText(window);
      const known = wanted.get(key);
      if (known === undefined) wanted.set(key, { ...window, blocks: 1 });
      else known.blocks += 1;
    }
    const last = await this.windows.takeSequences(client, [...wanted.values()]);
    const next = new Map([...wanted].map(([key, { blocks }]) => [key, last.get(key)! - blocks + 1]));
    const rows: BlockRow[] = [];
    for (const { batch, blocks } of fresh) {
      for (const { window, data } of blocks) {
        const key = windowText(window);
        const sequence = next.get(key)!;
        next.set(key, sequence + 1);
        rows.push({
          ...window,
          arrivedHourMs,
          sequence,
          processId: batch.processId,
          startMs: batch.startMs,
          durationMs: batch.durationMs,
          data,
        });
      }
    }
    await this.blocks.add(client, rows);
  }
}

type Block = BatchToStore['blocks'][number];
type Client = Parameters<ReceiptRepository['addBatches']>[0];

function prepareBatch(batch: BatchToStore): PreparedBatch {
  assertStorable(batch);
  const { serviceId, processId, revisionId, environmentId, sequence, receiptKey, startMs, durationMs } = batch;
  const identity =
    sequence !== null
      ? batchIdentity({ serviceId, processId, sequence })
      : receiptKey === undefined
        ? undefined
        : uploadIdentity({ serviceId, key: receiptKey });
  // A level times its period can be summed like a flow, and divided by the time it covers when it is shown.
  const scaleOf = ({ kind }: Block) => (kind === 'level' ? durationMs : 1);
  const blocks = batch.blocks.map((block) => ({
    window: { serviceId, profileTypeId: block.profileTypeId, windowStartMs: windowStart(startMs), revisionId, environmentId },
    data: encodeBlock(block, scaleOf(block)),
  }));
  const lineRecordings = batch.blocks.flatMap((block): LineRecording[] => {
    const { profileTypeId, labelSetId, lineCosts } = block;
    if (lineCosts === undefined) return [];
    const origin = { serviceId, profileTypeId, revisionId, environmentId, processId, startMs, durationMs };
    return [{ ...origin, labelSetIds: [...new Set(labelSetId)], data: encodeLineCosts(lineCosts, scaleOf(block)) }];
  });
  const windowStartMs = windowStart(startMs);
  const exemplars = (batch.exemplars ?? []).map((one) => ({
    ...one,
    serviceId,
    processId,
    revisionId,
    environmentId,
    windowStartMs,
  }));
  return { batch, identity, blocks, lineRecordings, exemplars };
}

function batchIdentity({ serviceId, processId, sequence }: { serviceId: number; processId: number; sequence: number }): string {
  return `batch ${serviceId} ${processId} ${sequence}`;
}

function uploadIdentity({ serviceId, key }: { serviceId: number; key: string }): string {
  return `upload ${serviceId} ${key}`;
}

function measurementOf({
  serviceId,
  processId,
  revisionId,
  environmentId,
  startMs,
  durationMs,
  series,
}: BatchToStore): ProcessMeasurement {
  return { serviceId, processId, revisionId, environmentId, startMs, durationMs, series };
}

function transactionWindowsOf({
  serviceId,
  processId,
  revisionId,
  environmentId,
  startMs,
  transactions,
}: BatchToStore): TransactionWindow[] {
  return transactions.map(({ labelSetId, kind, outcome, count, durationSumMicros, sketchBucket, sketchCount }) => ({
    serviceId,
    windowStartMs: windowStart(startMs),
    processId,
    revisionId,
    environmentId,
    labelSetId,
    kind,
    outcome,
    count,
    durationSumMicros,
    sketchBucket,
    sketchCount,
  }));
}
