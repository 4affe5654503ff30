import { Injectable } from '@nestjs/common';
import { isDatabaseAway } from '../../platform/http/index.js';
import { Origins, type Sighting } from '../catalog/index.js';
import { ProfileStore, type BatchToStore, type StoreOutcome } from '../profile-store/index.js';
import { GroupCommit } from './group-commit.js';
import { IngestMetrics } from './ingest-metrics.js';

interface Arrival {
  readonly batch: BatchToStore;
  readonly sighting: Sighting;
}

/** Stores batches together, whichever way they came. */
@Injectable()
export class Storing {
  readonly #groups: GroupCommit<Arrival, StoreOutcome>;

  constructor(store: ProfileStore, origins: Origins, metrics: IngestMetrics) {
    this.#groups = new GroupCommit({
      blocksIn: ({ batch }) => Math.max(1, batch.blocks.length),
      mayBeOneItem: (error) => !isDatabaseAway(error),
      store: async (arrivals) => {
        const endTimer = metrics.commitSeconds.startTimer();
        // Before the batches: a process is heard of no later than its data is seen.
        await origins.recordSightings(arrivals.map(({ sighting }) => sighting));
        const outcomes = await store.storeBatches(arrivals.map(({ batch }) => batch));
        endTimer();
        metrics.commitBatches.observe(arrivals.length);
        return outcomes;
      },
    });
  }

  /** Resolves after the commit. */
  async store(batch: BatchToStore, sighting: Sighting): Promise<StoreOutcome> {
    return this.#groups.add({ batch, sighting });
  }
}
