import { Injectable } from '@nestjs/common';
import { epochRange, StackDictionaries } from '../stacks/index.js';
import { WindowRepository } from './window.repository.js';

/** Forgets the stacks of months whose profiles are gone. */
@Injectable()
export class UnusedEpochs {
  constructor(
    private readonly dictionaries: StackDictionaries,
    private readonly windows: WindowRepository,
  ) {}

  /**
   * Safe at any moment, beside itself and beside writers of old and new months.
   *
   * @returns How many dictionaries were dropped.
   */
  async drop(): Promise<number> {
    let dropped = 0;
    for (const key of await this.dictionaries.listEpochs()) {
      // Copies of pinned revisions belong to no month.
      if (key.epoch < 0) continue;
      const isDropped = await this.dictionaries.drop(key, (client) =>
        this.windows.hasAny(client, key.serviceId, epochRange(key.epoch)),
      );
      if (isDropped) dropped += 1;
    }
    return dropped;
  }
}
