import { Injectable } from '@nestjs/common';
import type { ClientBase } from 'pg';
import { epochRange, pinnedRevisionOf, StackDictionaries, type EpochKey } from '../stacks/index.js';
import { PinnedTotals } from './pinned-totals.repository.js';
import { WindowRepository } from './window.repository.js';

/** Forgets the stacks of months whose profiles are gone, and of revisions that are pinned no more. */
@Injectable()
export class UnusedEpochs {
  constructor(
    private readonly dictionaries: StackDictionaries,
    private readonly windows: WindowRepository,
    private readonly pinned: PinnedTotals,
  ) {}

  /**
   * Safe at any moment, beside itself and beside writers of old and new months.
   *
   * @returns How many dictionaries were dropped.
   */
  async drop(): Promise<number> {
    let dropped = 0;
    for (const key of await this.dictionaries.listEpochs()) {
      if (await this.dictionaries.drop(key, (client) => this.#isNeeded(client, key))) dropped += 1;
    }
    return dropped;
  }

  async #isNeeded(client: ClientBase, { serviceId, epoch }: EpochKey): Promise<boolean> {
    const revisionId = pinnedRevisionOf(epoch);
    if (revisionId === undefined) return this.windows.hasAny(client, serviceId, epochRange(epoch));
    return this.pinned.hasAny(client, { serviceId, revisionId });
  }
}
