import { Inject, Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import type { BatchesAnswer } from '@hearth/query-contract';
import type { Logger } from 'pino';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { HearthError, type ContentEncoding } from '../../platform/http/index.js';
import { LOGGER } from '../../platform/observability/index.js';
import { AgentCommands } from '../commands/index.js';
import { LabelSets, Origins, ProfileTypes, type FoundOrigin } from '../catalog/index.js';
import { Limits, type ServiceLimits } from '../limits/index.js';
import { assertStorable, windowStart, type BatchToStore, type StoreOutcome } from '../profile-store/index.js';
import { epochOf, StackDictionaries } from '../stacks/index.js';
import { Exemplars } from '../transactions/index.js';
import { acceptedStart } from './accepted-time.js';
import { BatchNaming } from './batch-naming.js';
import { blocksOf } from './blocks-of.js';
import type { Admitted } from './body-intake.js';
import type { CanonicalBatch } from './canonical-batch.js';
import { exemplarsOf, type SentExemplar } from './exemplars-of.js';
import { run as decodeBody, type DecodeBatchesTask, type DecodedBody } from './decode-batches.worker.js';
import { IngestMetrics } from './ingest-metrics.js';
import { IngestThreads } from './ingest-threads.js';
import { SMALL_BODY_BYTES, SMALL_DECODED_BYTES, SMALL_INFLATED_BYTES, SMALL_LINE_VISITS } from './small-bodies.js';
import { knownFault } from './known-fault.js';
import { Storing } from './storing.js';
import { errorOf } from '../../platform/worker-pool/worker-fault.js';

/** What says that a body becomes more than is read here. */
const TOO_LARGE_HERE = new Set(['INFLATED_TOO_LARGE', 'WIRE_SIZE', 'LINES_TOO_LARGE']);

/** Takes in the bodies that our agents send. */
@Injectable()
export class BatchIntake {
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
    readonly limits: Limits,
    readonly commands: AgentCommands,
    readonly naming: BatchNaming,
    readonly exemplars: Exemplars,
  ) {}

  /**
   * Decodes and stores every batch of a body. What it counts as accepted is committed. A batch that cannot be stored is counted as rejected; its neighbours are stored.
   *
   * @throws {HearthError} when no batch could be stored: the code of the first fault; `INGEST_BUSY` 429
   */
  async take(admitted: Admitted, encoding: ContentEncoding): Promise<BatchesAnswer> {
    const { projectId } = admitted;
    const decoded = await this.#read(admitted, encoding);
    const nowMs = Date.now();
    const stored = await Promise.all(decoded.batches.map((batch) => this.#storeOrFault(projectId, batch, nowMs)));

    const faults = decoded.faults.map(errorOf);
    for (const { code } of faults) this.#countRefusal(projectId, '', code);
    const outcomes: StoreOutcome[] = [];
    for (const one of stored) {
      if (one instanceof HearthError) faults.push(one);
      else outcomes.push(one);
    }
    for (const outcome of outcomes) this.metrics.batches.inc({ outcome });
    // A fault of ours (the database is away) is no verdict on the batch: the sender must send the body again, and what was stored is then a duplicate.
    const ours = faults.find(({ status }) => status >= 500 || status === 429);
    if (ours !== undefined) throw ours;
    if (outcomes.length === 0 && faults[0] !== undefined) throw faults[0];
    return {
      accepted: outcomes.filter((outcome) => outcome === 'stored').length,
      duplicates: outcomes.filter((outcome) => outcome === 'duplicate').length,
      rejected: countByCode(faults),
      commands: await this.commands.offersTo(
        projectId,
        decoded.batches.map(({ process }) => process.id),
        nowMs,
      ),
    };
  }

  /** What refuses the body as a whole is counted here: no batch of it comes further. */
  async #read({ projectId, body, growTo, countProfiles }: Admitted, encoding: ContentEncoding): Promise<DecodedBody> {
    try {
      const decoded = await this.#decode(projectId, body, encoding);
      growTo(decoded.decodedBytes);
      countProfiles(decoded.batches.reduce((sum, { profiles }) => sum + profiles.length, 0));
      return decoded;
    } catch (error) {
      const known = knownFault(error);
      this.#countRefusal(projectId, '', known.code);
      throw known;
    }
  }

  async #decode(projectId: number, body: Uint8Array<ArrayBuffer>, encoding: ContentEncoding): Promise<DecodedBody> {
    const task: DecodeBatchesTask = { body, encoding, maxInflatedBytes: this.environment.maxInflatedBytes };
    if (body.length <= SMALL_BODY_BYTES && task.maxInflatedBytes >= SMALL_INFLATED_BYTES) {
      const limits = {
        maxInflatedBytes: SMALL_INFLATED_BYTES,
        maxDecodedBytes: SMALL_DECODED_BYTES,
        maxLineVisits: SMALL_LINE_VISITS,
      };
      const decoded = decodeBody({ ...task, ...limits });
      if (!decoded.faults.some(({ code }) => TOO_LARGE_HERE.has(code))) return decoded;
    }
    return this.threads.decode(projectId, 'features/ingest/decode-batches.worker.js', task);
  }

  /** The fault is counted. */
  async #storeOrFault(projectId: number, batch: CanonicalBatch, nowMs: EpochMs): Promise<StoreOutcome | HearthError> {
    // A name that was never stored must not be written down: it is whatever the sender made up.
    let storedService = '';
    try {
      const { startMs, isCorrected } = acceptedStart(batch.startMs, batch.durationMs, nowMs);
      if (isCorrected) this.metrics.clockCorrected.inc();
      const { id: processKey, ...sender } = batch.process;
      const limits = await this.limits.ofService(projectId, sender.service);
      const found = await this.origins.ensure(projectId, { ...sender, processKey }, startMs, limits);
      storedService = sender.service;
      const shiftMs = startMs - batch.startMs;
      const exemplars = batch.exemplars.map((one) => ({ ...one, startMs: one.startMs + shiftMs }));
      return await this.#store(projectId, { ...batch, startMs, exemplars }, found, limits);
    } catch (error) {
      const known = knownFault(error);
      if (known.status >= 500) this.logger.error({ err: error }, 'a batch was not stored');
      this.#countRefusal(projectId, storedService, known.code);
      return known;
    }
  }

  async #store(
    projectId: number,
    sent: CanonicalBatch,
    { origin, process, folded }: FoundOrigin,
    limits: ServiceLimits,
  ): Promise<StoreOutcome> {
    const named = await this.naming.named(sent, origin);
    const { batch } = named;
    const { startMs } = batch;
    const labelGeneration = await this.labelSets.generationOf(origin.serviceId);
    const [labelSetIds, profileTypeIds] = await Promise.all([
      this.labelSets.intern(origin.serviceId, batch.labelSets, limits),
      this.profileTypes.ensure(
        origin.serviceId,
        batch.profiles.map(({ typeId }) => typeId),
      ),
    ]);
    const sentExemplars = await this.#slowExemplars(batch, origin, labelSetIds);
    const { exemplars, tooLarge } = await exemplarsOf(batch, sentExemplars);
    const epoch = { serviceId: origin.serviceId, epoch: epochOf(startMs) };
    const outcome = await this.stacks.storeWithIds(epoch, batch.functions, batch.stacks, async ({ ids, usedEpoch }) => {
      const toStore: BatchToStore = {
        ...origin,
        ...(process === 'own'
          ? { sequence: batch.sequence }
          : // Sequences of many processes are no identity of one.
            { sequence: null, receiptKey: `${batch.process.id} ${batch.sequence}` }),
        startMs,
        durationMs: batch.durationMs,
        usedEpoch,
        blocks: blocksOf(batch.profiles, ids, labelSetIds, profileTypeIds),
        transactions: batch.transactions.map(({ labelSet, ...counted }) => ({
          ...counted,
          labelSetId: labelSetIds[labelSet]!,
        })),
        // Many processes have no one value at one time.
        series: process === 'own' ? batch.series : [],
        exemplars,
      };
      assertStorable(toStore);
      return this.storing.store(projectId, toStore, {
        origin,
        fromMs: startMs,
        untilMs: startMs + batch.durationMs,
        labelGeneration,
        droppedBatches: batch.report.droppedBatches,
      });
    });
    await this.naming.note(named, origin);
    // A batch that comes again tells it again.
    if (outcome === 'stored') {
      countLosses(limits, batch, { process, folded });
      limits.hit('EXEMPLARS_TOO_LARGE', 'dropped', tooLarge);
    }
    return outcome;
  }

  /** Those that may be among the slowest of their hour. */
  async #slowExemplars(
    { exemplars, startMs }: CanonicalBatch,
    origin: FoundOrigin['origin'],
    labelSetIds: readonly number[],
  ): Promise<SentExemplar[]> {
    if (exemplars.length === 0) return [];
    const ids = exemplars.map(({ labelSet }) => labelSetIds[labelSet]!);
    const names = await this.labelSets.transactionNames(origin.serviceId, ids);
    return exemplars.flatMap((exemplar, at) => {
      const key = { ...origin, windowStartMs: windowStart(startMs), durationMicros: exemplar.durationMicros };
      if (!this.exemplars.mayBeSlowest(key, names[at]!)) return [];
      return [{ exemplar, labelSetId: ids[at]!, name: names[at]! }];
    });
  }

  #countRefusal(projectId: number, service: string, code: string): void {
    this.metrics.batches.inc({ outcome: code });
    this.limits.hits.add({ projectId, service, code, outcome: 'refused' });
  }
}

/** What is not there as it was measured: by our limits, or by those of its agent. */
function countLosses(
  limits: ServiceLimits,
  { report, series }: CanonicalBatch,
  { process, folded }: Pick<FoundOrigin, 'process' | 'folded'>,
): void {
  for (const code of folded) limits.hit(code, 'folded');
  if (process === 'other') limits.hit('PROCESS_SERIES_DROPPED', 'dropped', series.length);
  limits.hit('AGENT_BATCHES_DROPPED', 'dropped', report.droppedBatches);
  limits.hit('AGENT_SAMPLES_DROPPED', 'dropped', report.droppedSamples);
  limits.hit('AGENT_LABEL_SETS_FOLDED', 'folded', report.foldedLabelSets);
}

function countByCode(faults: readonly HearthError[]): { code: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { code } of faults) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([code, count]) => ({ code, count }));
}
