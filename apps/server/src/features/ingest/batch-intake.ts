import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import {
  NO_PARENT,
  parseProfileTypeId,
  profileTypeKind,
  TRANSACTION_LABEL,
  labelValue,
  type EpochMs,
} from '@hearth/profile-model';
import type { BatchesAnswer } from '@hearth/query-contract';
import type { Logger } from 'pino';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { HearthError, toHearthError, type ContentEncoding } from '../../platform/http/index.js';
import { LOGGER } from '../../platform/observability/index.js';
import { LabelSets, Origins, ProfileTypes } from '../catalog/index.js';
import { assertStorable, NO_STACK, type BatchToStore, type StoreOutcome } from '../profile-store/index.js';
import { StackDictionaries } from '../stacks/index.js';
import { acceptedStart } from './accepted-time.js';
import type { GrowTo } from './byte-budget.js';
import type { CanonicalBatch } from './canonical-batch.js';
import type { DecodeBatchesTask, DecodedBody } from './decode-batches.worker.js';
import { IngestMetrics } from './ingest-metrics.js';
import { IngestThreads } from './ingest-threads.js';
import { Storing } from './storing.js';
import { errorOf } from './worker-fault.js';

/** Takes in the bodies that our agents send. */
@Injectable()
export class BatchIntake implements OnApplicationBootstrap {
  constructor(
    @Inject(ENVIRONMENT) readonly environment: Environment,
    @Inject(LOGGER) readonly logger: Logger,
    readonly threads: IngestThreads,
    readonly origins: Origins,
    readonly labelSets: LabelSets,
    readonly profileTypes: ProfileTypes,
    readonly stacks: StackDictionaries,
    readonly storing: Storing,
    readonly metrics: IngestMetrics,
  ) {}

  /** Before the server listens: the first batch would otherwise wait for a thread to start and to load its modules (half a second). */
  async onApplicationBootstrap(): Promise<void> {
    await this.#decode(new Uint8Array(), 'identity');
  }

  /**
   * Decodes and stores every batch of a body. What it counts as accepted is committed. A batch that cannot be stored is counted as rejected; its neighbours are stored.
   *
   * @param growTo - Told how much memory the decoded body takes.
   * @throws {HearthError} when no batch could be stored: the code of the first fault; `INGEST_BUSY` 429
   */
  async take(
    projectId: number,
    body: Uint8Array<ArrayBuffer>,
    encoding: ContentEncoding,
    growTo: GrowTo,
  ): Promise<BatchesAnswer> {
    const decoded = await this.#decode(body, encoding);
    growTo(decoded.decodedBytes);
    const nowMs = Date.now();
    const settled = await Promise.allSettled(decoded.batches.map((batch) => this.#store(projectId, batch, nowMs)));

    const faults = decoded.faults.map(errorOf);
    const outcomes: StoreOutcome[] = [];
    for (const one of settled) {
      if (one.status === 'fulfilled') outcomes.push(one.value);
      else faults.push(this.#known(one.reason));
    }
    for (const outcome of outcomes) this.metrics.batches.inc({ outcome });
    for (const { code } of faults) this.metrics.batches.inc({ outcome: code });
    // A fault of ours (the database is away) is no verdict on the batch: the sender must send the body again, and what was stored is then a duplicate.
    const ours = faults.find(({ status }) => status >= 500 || status === 429);
    if (ours !== undefined) throw ours;
    if (outcomes.length === 0 && faults[0] !== undefined) throw faults[0];
    return {
      accepted: outcomes.filter((outcome) => outcome === 'stored').length,
      duplicates: outcomes.filter((outcome) => outcome === 'duplicate').length,
      rejected: countByCode(faults),
      commands: [],
    };
  }

  async #decode(body: Uint8Array<ArrayBuffer>, encoding: ContentEncoding): Promise<DecodedBody> {
    const task: DecodeBatchesTask = { body, encoding, maxInflatedBytes: this.environment.maxInflatedBytes };
    return this.threads.run('features/ingest/decode-batches.worker.js', task, { transferList: [body.buffer] });
  }

  async #store(projectId: number, batch: CanonicalBatch, nowMs: EpochMs): Promise<StoreOutcome> {
    const { startMs, isCorrected } = acceptedStart(batch.startMs, batch.durationMs, nowMs);
    if (isCorrected) this.metrics.clockCorrected.inc();
    const { id: processKey, ...sender } = batch.process;
    const origin = await this.origins.ensure(projectId, { ...sender, processKey }, startMs);
    const [labelSetIds, profileTypeIds, stackIds] = await Promise.all([
      this.labelSets.intern(origin.serviceId, batch.labelSets),
      this.profileTypes.ensure(
        origin.serviceId,
        batch.profiles.map(({ typeId }) => typeId),
      ),
      this.stacks.intern(origin.serviceId, batch.functions, batch.stacks),
    ]);
    const toStore: BatchToStore = {
      ...origin,
      sequence: batch.sequence,
      startMs,
      durationMs: batch.durationMs,
      blocks: batch.profiles.map((profile, at) => ({
        profileTypeId: profileTypeIds[at]!,
        kind: profileTypeKind(parseProfileTypeId(profile.typeId)),
        stackId: profile.sampleStack.map((row) => (row === NO_PARENT ? NO_STACK : stackIds[row]!)),
        labelSetId: profile.sampleLabelSet.map((row) => labelSetIds[row]!),
        value: profile.sampleValue,
        count: profile.sampleCount,
      })),
      transactions: batch.transactions.map(({ labelSet, ...counted }) => ({
        ...counted,
        labelSetId: labelSetIds[labelSet]!,
        name: labelValue(batch.labelSets[labelSet]!, TRANSACTION_LABEL) ?? '',
      })),
      series: batch.series,
    };
    assertStorable(toStore);
    return this.storing.store(toStore, {
      origin,
      fromMs: startMs,
      untilMs: startMs + batch.durationMs,
      droppedBatches: batch.droppedBatches,
    });
  }

  #known(error: unknown): HearthError {
    // Errors of the store and of the dictionary carry a code; what has none is ours.
    const known = storeFault(error) ?? toHearthError(error);
    if (known.status >= 500) this.logger.error({ err: error }, 'a batch was not stored');
    return known;
  }
}

/** The batch itself is at fault, and sending it again would not help. */
export function storeFault(error: unknown): HearthError | undefined {
  const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
  // A damaged dictionary (other codes of StackError) is ours to repair: the sender must keep its batch.
  if (name !== 'StoreError' && code !== 'STACK_DICTIONARY_FULL') return undefined;
  return new HearthError(String(code), String(message), { cause: error });
}

function countByCode(faults: readonly HearthError[]): { code: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { code } of faults) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([code, count]) => ({ code, count }));
}
