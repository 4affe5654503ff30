import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import type { PinAnswer, RetentionAmount } from '@hearth/query-contract';
import { countDeletedAtOnce } from '../../platform/database/partitions.js';
import { HearthError } from '../../platform/http/index.js';
import { Catalog, PinnedRevisions, type PinKey } from '../catalog/index.js';
import { PinnedTotals } from '../profile-store/index.js';
import { SelectionResolver } from '../selection/index.js';
import { StackDictionaries } from '../stacks/index.js';
import { PinnedTransactions } from '../transactions/index.js';
import { splitRows } from './retention-tiers.js';

/** Of one service. Each takes disk for ever, and is looked at every few minutes. */
const MAX_PINS = 100;

/** Revisions that stay comparable for ever. */
@Injectable()
export class Pins {
  constructor(
    readonly selections: SelectionResolver,
    readonly catalog: Catalog,
    readonly pinned: PinnedRevisions,
    readonly totals: PinnedTotals,
    readonly transactions: PinnedTransactions,
    readonly dictionaries: StackDictionaries,
  ) {}

  /** @throws {HearthError} `SERVICE_NOT_FOUND`, `REVISION_NOT_FOUND`, `TOO_MANY_PINS` */
  async pin(projectId: number, service: string, revision: string, nowMs: EpochMs = Date.now()): Promise<PinAnswer> {
    const pinned = await this.pinned.pin(await this.#find(projectId, service, revision), MAX_PINS, nowMs);
    if (pinned === undefined)
      throw new HearthError(
        'TOO_MANY_PINS',
        `${service} has ${MAX_PINS} pinned revisions already: DELETE /api/v1/services/${service}/revisions/SHA/pin ends one`,
      );
    return { service, revision, pinnedMs: pinned.pinnedMs };
  }

  /** Ends it, and what is kept only for it. @throws {HearthError} `SERVICE_NOT_FOUND`, `REVISION_NOT_FOUND` */
  async unpin(projectId: number, service: string, revision: string): Promise<void> {
    const key = await this.#find(projectId, service, revision);
    await this.pinned.unpin(key, async (client) => {
      await this.totals.remove(client, key);
      await this.transactions.remove(client, key);
      await countDeletedAtOnce(client);
    });
  }

  /** What is kept for pins of these services only, estimated. */
  async amount(serviceIds: readonly number[]): Promise<RetentionAmount> {
    const tables = [this.totals.partitions, this.transactions.partitions];
    const { rows, bytes } = (await splitRows(tables, { serviceIds, beforeMs: 0 })).stays;
    return { rows, bytes: bytes + (await this.dictionaries.bytesOfPinned(serviceIds)) };
  }

  async #find(projectId: number, service: string, revision: string): Promise<PinKey> {
    const { id: serviceId } = await this.selections.findService(projectId, service);
    const { id: revisionId } = await this.selections.findRevision(serviceId, revision);
    return { serviceId, revisionId };
  }
}
