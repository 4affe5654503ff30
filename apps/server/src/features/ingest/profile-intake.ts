import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import {
  NO_PARENT,
  parseProfileTypeId,
  PROFILE_TYPE_IDS,
  profileTypeKind,
  type EpochMs,
  type ProfileTypeId,
} from '@hearth/profile-model';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { HearthError, type ContentEncoding } from '../../platform/http/index.js';
import { LabelSets, Origins, ProfileTypes, type Sender } from '../catalog/index.js';
import { assertStorable, NO_STACK, type StoreOutcome } from '../profile-store/index.js';
import { StackDictionaries } from '../stacks/index.js';
import { acceptedStart } from './accepted-time.js';
import { storeFault } from './batch-intake.js';
import type { GrowTo } from './byte-budget.js';
import type { CanonicalProfile } from './canonical-batch.js';
import { IngestMetrics } from './ingest-metrics.js';
import { IngestThreads } from './ingest-threads.js';
import type { ReadProfileFile, ReadProfileTask } from './read-profile.worker.js';
import { Storing } from './storing.js';
import { errorOf, type WorkerFault } from './worker-fault.js';

/** A profile file and what its sender says about it. */
export interface ProfileUpload {
  readonly projectId: number;
  readonly sender: Sender;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly growTo: GrowTo;
  readonly encoding: ContentEncoding;
  readonly contentType: string;
  readonly textForm: 'folded' | 'lines';
  /** `undefined`: what the file says, else a moment ago. */
  readonly range: { readonly fromMs: EpochMs; readonly untilMs: EpochMs } | undefined;
  /** What the sender says besides the body: the same upload within the hour is stored once. */
  readonly identity: string;
  /** What a file that only counts samples (folded stacks) has counted. */
  readonly countedAs: { readonly typeId: ProfileTypeId } | { readonly sampleRateHz: number };
}

const COUNT_TYPE_ID = 'samples:samples:count::';

/** Takes in single profile files of the formats that people and other clients have. */
@Injectable()
export class ProfileIntake {
  constructor(
    @Inject(ENVIRONMENT) readonly environment: Environment,
    readonly threads: IngestThreads,
    readonly origins: Origins,
    readonly labelSets: LabelSets,
    readonly profileTypes: ProfileTypes,
    readonly stacks: StackDictionaries,
    readonly storing: Storing,
    readonly metrics: IngestMetrics,
  ) {}

  /** @throws {HearthError} what is wrong with the file; nothing of it is stored then */
  async take(upload: ProfileUpload): Promise<StoreOutcome> {
    try {
      const outcome = await this.#take(upload);
      this.metrics.batches.inc({ outcome });
      return outcome;
    } catch (error) {
      const known = storeFault(error) ?? error;
      this.metrics.batches.inc({ outcome: known instanceof HearthError ? known.code : 'INTERNAL' });
      throw known;
    }
  }

  async #take({
    projectId,
    sender,
    body,
    growTo,
    encoding,
    contentType,
    textForm,
    range,
    identity,
    countedAs,
  }: ProfileUpload): Promise<StoreOutcome> {
    const receiptKey = createHash('sha256').update(identity).update('\0').update(body).digest('hex');
    const task: ReadProfileTask = { body, encoding, contentType, textForm, maxInflatedBytes: this.environment.maxInflatedBytes };
    const file = await this.threads.run<ReadProfileTask, ReadProfileFile | { fault: WorkerFault }>(
      'features/ingest/read-profile.worker.js',
      task,
      { transferList: [body.buffer] },
    );
    if ('fault' in file) throw errorOf(file.fault);
    growTo(file.decodedBytes);

    const nowMs = Date.now();
    const durationMs = range === undefined ? Math.max(1, file.durationMs) : range.untilMs - range.fromMs;
    const saidMs = range?.fromMs ?? (file.startMs === 0 ? nowMs - durationMs : file.startMs);
    const { startMs, isCorrected } = acceptedStart(saidMs, durationMs, nowMs);
    if (isCorrected) this.metrics.clockCorrected.inc();

    const origin = await this.origins.ensure(projectId, sender, startMs);
    const profiles = file.profiles.map((profile) => asMeasured(profile, countedAs));
    const [labelSetIds, profileTypeIds, stackIds] = await Promise.all([
      this.labelSets.intern(origin.serviceId, file.labelSets),
      this.profileTypes.ensure(
        origin.serviceId,
        profiles.map(({ typeId }) => typeId),
      ),
      this.stacks.intern(origin.serviceId, file.functions, file.stacks),
    ]);
    const batch = {
      ...origin,
      sequence: null,
      receiptKey,
      startMs,
      durationMs,
      blocks: profiles.map((profile, at) => ({
        profileTypeId: profileTypeIds[at]!,
        kind: profileTypeKind(parseProfileTypeId(profile.typeId)),
        stackId: profile.sampleStack.map((row) => (row === NO_PARENT ? NO_STACK : stackIds[row]!)),
        labelSetId: profile.sampleLabelSet.map((row) => labelSetIds[row]!),
        value: profile.sampleValue,
        count: profile.sampleCount,
      })),
      transactions: [],
      series: [],
    };
    assertStorable(batch);
    return this.storing.store(batch, { origin, fromMs: startMs, untilMs: startMs + durationMs, droppedBatches: 0 });
  }
}

/** A file that only counts samples measured what its sender says; at a known rate a sample stands for a piece of CPU time. */
function asMeasured(profile: CanonicalProfile, countedAs: ProfileUpload['countedAs']): CanonicalProfile {
  if (profile.typeId !== COUNT_TYPE_ID) return profile;
  if ('typeId' in countedAs) return { ...profile, typeId: countedAs.typeId };
  const microsPerSample = 1e6 / countedAs.sampleRateHz;
  return {
    ...profile,
    typeId: PROFILE_TYPE_IDS.cpu,
    sampleValue: profile.sampleValue.map((count) => Math.round(count * microsPerSample)),
  };
}
