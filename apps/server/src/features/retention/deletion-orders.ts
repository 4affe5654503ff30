import { Injectable } from '@nestjs/common';
import type { DeletionAnswer } from '@hearth/query-contract';
import { HearthError } from '../../platform/http/index.js';
import { SelectionResolver } from '../selection/index.js';
import { Deletions, type DeletionRow } from './deletions.repository.js';

/** Ordering deletions, and asking how far they are. Never carries one out: a worker does. */
@Injectable()
export class DeletionOrders {
  constructor(
    readonly selections: SelectionResolver,
    readonly deletions: Deletions,
  ) {}

  /** @throws {HearthError} `SERVICE_NOT_FOUND` */
  async order(projectId: number, service: string): Promise<DeletionAnswer> {
    const { id } = await this.selections.findService(projectId, service);
    return answerOf(await this.deletions.order(projectId, id, service));
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
}

function answerOf(row: DeletionRow): DeletionAnswer {
  const { id, service, status, stepsDone, stepsTotal, rowsRemoved, bytesReturned, createdMs, finishedMs } = row;
  return {
    id: String(id),
    service,
    status,
    steps: { done: stepsDone, total: stepsTotal },
    rowsRemoved,
    bytesReturned,
    createdMs,
    finishedMs,
  };
}
