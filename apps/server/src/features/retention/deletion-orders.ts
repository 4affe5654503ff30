import { Injectable } from '@nestjs/common';
import type { EpochMs, TimeRange } from '@hearth/profile-model';
import type { DataDeletionRequest, DeletionAnswer, DeletionSelector } from '@hearth/query-contract';
import { DataSource } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import { HearthError, parseTime } from '../../platform/http/index.js';
import { Catalog, type ServiceRow } from '../catalog/index.js';
import { SelectionResolver } from '../selection/index.js';
import { Exemplars } from '../transactions/index.js';
import { DeletionRanges } from './deletion-ranges.js';
import { Deletions, type DeletionRow, type LabelSelector } from './deletions.repository.js';

/** Ordering deletions, and asking how far they are. Never carries one out: a worker does. Ordering one again that was given up tries it again. */
@Injectable()
export class DeletionOrders {
  constructor(
    readonly selections: SelectionResolver,
    readonly deletions: Deletions,
    readonly ranges: DeletionRanges,
    readonly catalog: Catalog,
    readonly exemplars: Exemplars,
    readonly dataSource: DataSource,
  ) {}

  /** @throws {HearthError} `SERVICE_NOT_FOUND` */
  async order(projectId: number, service: string): Promise<DeletionAnswer> {
    let reopened: DeletionRow | undefined;
    for (const failed of await this.deletions.findFailedServices(projectId, service))
      reopened = await this.deletions.reopen(failed);
    if (reopened === undefined)
      return this.#order(projectId, await this.selections.findService(projectId, service), { kind: 'service' });
    // Its service may be found no more. One that has come back since is another, and is what has the name now.
    const found = await this.catalog.findService(projectId, service);
    return found === null ? answerOf(reopened) : this.#order(projectId, found, { kind: 'service' });
  }

  /** @throws {HearthError} `SERVICE_NOT_FOUND`, `TIME_INVALID`, `RANGE_EMPTY`, `DELETION_RANGE_UNEVEN`, `LABEL_VALUE_NOT_FOUND` */
  async orderData(projectId: number, service: string, request: DataDeletionRequest, nowMs = Date.now()): Promise<DeletionAnswer> {
    const found = await this.selections.findService(projectId, service);
    const { label, value } = request;
    if (label !== undefined && value !== undefined)
      return this.#orderLabel(projectId, found, { kind: 'label', name: label, value });
    const range = rangeOf(request, nowMs);
    await this.ranges.assertEven(found.id, range);
    return this.#order(projectId, found, { kind: 'range', ...range });
  }

  /** In one database transaction: what has the label now is what the order is about. */
  async #orderLabel(
    projectId: number,
    { id: serviceId, name: service }: ServiceRow,
    selector: LabelSelector,
  ): Promise<DeletionAnswer> {
    const { name, value } = selector;
    const order = await inDatabaseTransaction(this.dataSource, async ({ client, queryRunner: { manager } }) => {
      // Before it is looked for: another request may be ordering the same.
      await this.catalog.holdLabels(client, serviceId);
      const undone = await this.deletions.findUndone({ serviceId, selector }, manager);
      if (undone !== null && undone.status !== 'failed') return undone;
      const labelled = await this.catalog.retireLabel(client, serviceId, name, value);
      // What was sent since it was first ordered has other ids, which nobody would take away as long as it fails.
      if (undone !== null) return this.deletions.reopen(undone, labelled, manager);
      const isHeld = labelled.labelSetIds.length + labelled.processIds.length > 0;
      if (!isHeld && !(await this.exemplars.areSaying(client, serviceId, [name, value]))) return undefined;
      return this.deletions.add({ projectId, serviceId, service, selector }, labelled, manager);
    });
    if (order !== undefined) return answerOf(order);
    throw new HearthError(
      'LABEL_VALUE_NOT_FOUND',
      `nothing of the service has the label ${JSON.stringify(name)} with the value ${JSON.stringify(value.slice(0, 100))}`,
      { status: 404 },
    );
  }

  async list(projectId: number): Promise<DeletionAnswer[]> {
    return (await this.deletions.list(projectId)).map(answerOf);
  }

  /** @throws {HearthError} `DELETION_NOT_FOUND` */
  async find(projectId: number, id: string): Promise<DeletionAnswer> {
    const row = /^\d{1,15}$/.test(id) ? await this.deletions.findOfProject(projectId, Number(id)) : null;
    if (row === null) throw new HearthError('DELETION_NOT_FOUND', 'this project has no deletion of this id', { status: 404 });
    return answerOf(row);
  }

  /** One that is under way already stays the one. */
  async #order(
    projectId: number,
    { id: serviceId, name }: { readonly id: number; readonly name: string },
    selector: DeletionSelector,
  ): Promise<DeletionAnswer> {
    const undone = await this.deletions.findUndone({ serviceId, selector });
    if (undone !== null) return answerOf(await this.deletions.reopen(undone));
    return answerOf(await this.deletions.add({ projectId, serviceId, service: name, selector }));
  }
}

/** However long: an order costs by what is there. @throws {HearthError} `TIME_INVALID`, `RANGE_EMPTY` */
function rangeOf({ from = '', until = '' }: DataDeletionRequest, nowMs: EpochMs): TimeRange {
  const range = { fromMs: parseTime(from, nowMs), untilMs: parseTime(until, nowMs) };
  if (range.fromMs < range.untilMs) return range;
  throw new HearthError('RANGE_EMPTY', `from ${from} is not before until ${until}: the range holds no instant`);
}

function answerOf(row: DeletionRow): DeletionAnswer {
  const { id, service, selector, status, stepsDone, stepsTotal, rowsRemoved, bytesReturned, createdMs, finishedMs, attempts } =
    row;
  return {
    id: String(id),
    service,
    selector: selector ?? { kind: 'service' },
    status,
    steps: { done: stepsDone, total: stepsTotal },
    rowsRemoved,
    bytesReturned,
    createdMs,
    finishedMs,
    attempts,
    error: row.errorCode === null ? null : { code: row.errorCode, message: row.errorMessage ?? '' },
  };
}
