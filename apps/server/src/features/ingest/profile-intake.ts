import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { PROFILE_TYPE_IDS, type EpochMs, type ProfileTypeId } from '@hearth/profile-model';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import type { ContentEncoding } from '../../platform/http/index.js';
import { LabelSets, Origins, ProfileTypes, type Sender } from '../catalog/index.js';
import { Limits } from '../limits/index.js';
import { assertStorable, type StoreOutcome } from '../profile-store/index.js';
import { epochOf, StackDictionaries } from '../stacks/index.js';
import { acceptedStart } from './accepted-time.js';
import { blocksOf } from './blocks-of.js';
import type { Admitted } from './body-intake.js';
import type { CanonicalProfile } from './canonical-batch.js';
import { IngestMetrics } from './ingest-metrics.js';
import { IngestThreads } from './ingest-threads.js';
import { run as readProfileFile, type ReadProfileFile, type ReadProfileTask } from './read-profile.worker.js';
import {
  SMALL_BODY_BYTES,
  SMALL_FRAMES,
  SMALL_INFLATED_BYTES,
  SMALL_LABEL_CHARACTERS,
  SMALL_LINE_VISITS,
} from './small-bodies.js';
import { knownFault } from './known-fault.js';
import { Storing } from './storing.js';
import { errorOf, type WorkerFault } from '../../platform/worker-pool/worker-fault.js';

/** A profile file and what its sender says about it. */
export interface ProfileUpload extends Admitted {
  readonly sender: Sender;
  readonly encoding: ContentEncoding;
  readonly contentType: string;
  readonly textForm: 'folded' | 'lines';
  readonly hasCallSiteLines: boolean;
  /** `undefined`: what the file says, else a moment ago. */
  readonly range: { readonly fromMs: EpochMs; readonly untilMs: EpochMs } | undefined;
  /** What the sender says besides the body: the same upload within the hour is stored once. */
  readonly identity: string;
  /** What a file that only counts samples (folded stacks) has counted. */
  readonly countedAs: { readonly typeId: ProfileTypeId } | { readonly sampleRateHz: number };
}

/** What says that a body inflates to more than is read here. */
const TOO_LARGE_HERE = new Set(['INFLATED_TOO_LARGE', 'FORMAT_LIMIT', 'LINES_TOO_LARGE']);
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
    readonly limits: Limits,
  ) {}

  /** @throws {HearthError} what is wrong with the file; nothing of it is stored then */
  async take(upload: ProfileUpload): Promise<StoreOutcome> {
    try {
      const outcome = await this.#take(upload);
      this.metrics.batches.inc({ outcome });
      return outcome;
    } catch (error) {
      const known = knownFault(error);
      this.metrics.batches.inc({ outcome: known.code });
      // A name that is refused because there are too many must not be written down; nor one that was never stored.
      this.limits.hits.add({ projectId: upload.projectId, service: '', code: known.code, outcome: 'refused' });
      throw known;
    }
  }

  async #take({
    projectId,
    sender,
    body,
    growTo,
    countProfiles,
    encoding,
    contentType,
    textForm,
    hasCallSiteLines,
    range,
    identity,
    countedAs,
  }: ProfileUpload): Promise<StoreOutcome> {
    const receiptKey = createHash('sha256').update(identity).update('\0').update(body).digest('hex');
    const { maxInflatedBytes } = this.environment;
    const task: ReadProfileTask = { body, encoding, contentType, textForm, hasCallSiteLines, maxInflatedBytes };
    const file = await this.#read(projectId, task);
    if ('fault' in file) throw errorOf(file.fault);
    growTo(file.decodedBytes);
    countProfiles(file.profiles.length);

    const nowMs = Date.now();
    const durationMs = range === undefined ? Math.max(1, file.durationMs) : range.untilMs - range.fromMs;
    const saidMs = range?.fromMs ?? (file.startMs === 0 ? nowMs - durationMs : file.startMs);
    const { startMs, isCorrected } = acceptedStart(saidMs, durationMs, nowMs);
    if (isCorrected) this.metrics.clockCorrected.inc();

    const limits = await this.limits.ofService(projectId, sender.service);
    const { origin, folded } = await this.origins.ensure(projectId, sender, startMs, limits);
    const profiles = file.profiles.map((profile) => asMeasured(profile, countedAs));
    const labelGeneration = await this.labelSets.generationOf(origin.serviceId);
    const [labelSetIds, profileTypeIds] = await Promise.all([
      this.labelSets.intern(origin.serviceId, file.labelSets, limits),
      this.profileTypes.ensure(
        origin.serviceId,
        profiles.map(({ typeId }) => typeId),
      ),
    ]);
    const epoch = { serviceId: origin.serviceId, epoch: epochOf(startMs) };
    const outcome = await this.stacks.storeWithIds(epoch, file.functions, file.stacks, async ({ ids, usedEpoch }) => {
      const batch = {
        ...origin,
        sequence: null,
        receiptKey,
        startMs,
        durationMs,
        usedEpoch,
        blocks: blocksOf(profiles, ids, labelSetIds, profileTypeIds),
        transactions: [],
        series: [],
      };
      assertStorable(batch);
      const sighting = { origin, fromMs: startMs, untilMs: startMs + durationMs, labelGeneration, droppedBatches: 0 };
      return this.storing.store(projectId, batch, sighting);
    });
    if (outcome === 'stored') for (const code of folded) limits.hit(code, 'folded');
    return outcome;
  }

  async #read(projectId: number, task: ReadProfileTask): Promise<ReadProfileFile | { fault: WorkerFault }> {
    if (task.body.length <= SMALL_BODY_BYTES && task.maxInflatedBytes >= SMALL_INFLATED_BYTES) {
      const limits = { maxFrames: SMALL_FRAMES, maxLabelCharacters: SMALL_LABEL_CHARACTERS };
      const small = { maxInflatedBytes: SMALL_INFLATED_BYTES, maxLineVisits: SMALL_LINE_VISITS, limits };
      const file = await readProfileFile({ ...task, ...small });
      if (!('fault' in file && TOO_LARGE_HERE.has(file.fault.code))) return file;
    }
    return this.threads.decode(projectId, 'features/ingest/read-profile.worker.js', task);
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
