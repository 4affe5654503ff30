import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { DeletionEntity } from './deletion.entity.js';

export type DeletionRow = Readonly<DeletionEntity>;
export type DeletionKey = Pick<DeletionRow, 'serviceId' | 'id'>;

/** Orders that are listed; older ones are asked for by their id. */
const LISTED = 100;

/** Owns deletion. The row is the work: pending before it is a job, so the queue may forget it. */
@Injectable()
export class Deletions {
  constructor(@InjectRepository(DeletionEntity) readonly table: Repository<DeletionEntity>) {}

  /** One that is under way for the service already stays the one. */
  async order(projectId: number, serviceId: number, service: string): Promise<DeletionRow> {
    const isOpen = { serviceId, status: In(['pending', 'running']) };
    const open = await this.table.findOneBy(isOpen);
    if (open !== null) return open;
    const { identifiers } = await this.table.insert({ projectId, serviceId, service, status: 'pending', createdMs: Date.now() });
    return this.table.findOneByOrFail({ serviceId, id: Number(identifiers[0]!.id) });
  }

  async find(key: DeletionKey): Promise<DeletionRow | null> {
    return this.table.findOneBy({ serviceId: key.serviceId, id: key.id });
  }

  async findOfProject(projectId: number, id: number): Promise<DeletionRow | null> {
    return this.table.findOneBy({ projectId, id });
  }

  /** The last ordered first. */
  async list(projectId: number): Promise<DeletionRow[]> {
    return this.table.find({ where: { projectId }, order: { createdMs: 'DESC', id: 'DESC' }, take: LISTED });
  }

  async listOpen(): Promise<DeletionKey[]> {
    return this.table.find({ where: { status: In(['pending', 'running']) }, order: { id: 'ASC' } });
  }

  async begin({ serviceId, id }: DeletionKey): Promise<void> {
    await this.table.update({ serviceId, id }, { status: 'running', stepsDone: 0, stepsTotal: 0 });
  }

  async addStep(
    { serviceId, id }: DeletionKey,
    stepsTotal: number,
    { rows, bytes }: { rows: number; bytes: number },
  ): Promise<void> {
    await this.table.query(
      `UPDATE deletion SET steps_done = steps_done + 1, steps_total = $3, rows_removed = rows_removed + $4, bytes_returned = bytes_returned + $5
       WHERE service_id = $1 AND id = $2`,
      [serviceId, id, stepsTotal, rows, bytes],
    );
  }

  async finish({ serviceId, id }: DeletionKey): Promise<void> {
    await this.table.update({ serviceId, id }, { status: 'done', finishedMs: Date.now() });
  }
}
