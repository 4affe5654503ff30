import { Injectable } from '@nestjs/common';
import { isStorageFull, StorageRoom } from '../../platform/database/storage-room.js';
import { HearthError, isDatabaseAway } from '../../platform/http/index.js';
import { LabelSets, Origins, ProfileTypes, type Sighting } from '../catalog/index.js';
import { ProcessSeries } from '../process-metrics/index.js';
import { ProfileStore, type BatchToStore, type StoreOutcome } from '../profile-store/index.js';
import { StackDictionaries } from '../stacks/index.js';
import { Exemplars } from '../transactions/index.js';
import { GroupCommit } from './group-commit.js';
import { IngestMetrics } from './ingest-metrics.js';

/** An agent waits ten seconds for its answer; a batch that would be stored after that would be sent, read and refused again. */
const MAX_WAIT_MS = 5_000;

interface Arrival {
  readonly projectId: number;
  readonly batch: BatchToStore;
  readonly sighting: Sighting;
}

/** Stores batches together, whichever way they came. */
@Injectable()
export class Storing {
  readonly #groups: GroupCommit<Arrival, StoreOutcome>;

  constructor(
    store: ProfileStore,
    origins: Origins,
    metrics: IngestMetrics,
    labelSets: LabelSets,
    profileTypes: ProfileTypes,
    processSeries: ProcessSeries,
    stacks: StackDictionaries,
    exemplars: Exemplars,
    room: StorageRoom,
  ) {
    this.#groups = new GroupCommit({
      projectOf: ({ projectId }) => projectId,
      blocksIn: ({ batch }) => Math.max(1, batch.blocks.length),
      // Of a database that has gone back, no id in the group can be trusted.
      mayBeOneItem: (error) => !isDatabaseAway(error) && !isGoneBack(error),
      store: async (arrivals) => {
        const endTimer = metrics.commitSeconds.startTimer();
        // Before the batches: a process is heard of no later than its data is seen.
        await origins.recordSightings(arrivals.map(({ sighting }) => sighting)).catch((error: unknown) => {
          if (isGoneBack(error)) for (const cache of [labelSets, profileTypes, processSeries, stacks, exemplars]) cache.forget();
          throw error;
        });
        const outcomes = await store.storeBatches(arrivals.map(({ batch }) => batch)).catch((error: unknown) => {
          if (isStorageFull(error)) room.noticeFull();
          throw error;
        });
        await origins.addDroppedBatches(arrivals.filter((_, at) => outcomes[at] === 'stored').map(({ sighting }) => sighting));
        endTimer();
        metrics.commitBatches.observe(arrivals.length);
        return outcomes;
      },
    });
  }

  /** Resolves after the commit. */
  async store(projectId: number, batch: BatchToStore, sighting: Sighting): Promise<StoreOutcome> {
    return this.#groups.add({ projectId, batch, sighting });
  }

  /** @throws {HearthError} `INGEST_BUSY` 429: what the project has sent before waits for the database too long already */
  assertFlows(projectId: number): void {
    const waitedMs = this.#groups.waitedMs(projectId);
    if (waitedMs <= MAX_WAIT_MS) return;
    throw new HearthError(
      'INGEST_BUSY',
      `batches of the project have waited for the database for ${waitedMs} ms: send again later`,
      { status: 429, retryAfterSeconds: 5 },
    );
  }
}

function isGoneBack(error: unknown): boolean {
  return error instanceof HearthError && error.code === 'CATALOG_GONE_BACK';
}
