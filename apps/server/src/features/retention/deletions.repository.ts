import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { DurationMs, EpochMs } from '@hearth/profile-model';
import type { DeletionSelector } from '@hearth/query-contract';
import type { ClientBase } from 'pg';
import { In, LessThanOrEqual, Repository } from 'typeorm';
import { arrayText } from '../../platform/database/index.js';
import { DeletionEntity } from './deletion.entity.js';

/** Without what only its worker needs. */
export type DeletionRow = Readonly<Omit<DeletionEntity, 'labelSetIds' | 'processIds' | 'changedTables'>>;
export type DeletionKey = Pick<DeletionRow, 'serviceId' | 'id'>;
/** With it. */
export type DeletionOrder = Readonly<DeletionEntity>;

export type LabelSelector = DeletionSelector & { readonly kind: 'label' };

export interface NewDeletion {
  readonly projectId: number;
  readonly serviceId: number;
  readonly service: string;
  readonly selector: DeletionSelector;
}
/** What has a label at this moment. */
export interface Labelled {
  readonly labelSetIds: readonly number[];
  readonly processIds: readonly number[];
}
const NOTHING: Labelled = { labelSetIds: [], processIds: [] };

/** What was taken away in one database transaction. */
export interface Removed {
  readonly rows: number;
  /** Partitions that held it: they are to be written again. */
  readonly tables: readonly string[];
}

const OPEN = ['pending', 'running'] as const;
/** Orders that are listed; older ones are asked for by their id. */
const LISTED = 100;
/** Open orders of which one look takes notice: the rest comes when some of them are done. */
const QUEUED = 100;

/** Owns deletion. The row is the work: pending before it is a job, so the queue may forget it. */
@Injectable()
export class Deletions {
  constructor(@InjectRepository(DeletionEntity) readonly table: Repository<DeletionEntity>) {}

  /** The same order as it stands: under way, or given up. The last one if there are several. */
  async findUndone(
    { serviceId, selector }: Pick<NewDeletion, 'serviceId' | 'selector'>,
    manager = this.table.manager,
  ): Promise<DeletionRow | null> {
    return manager
      .getRepository(DeletionEntity)
      .createQueryBuilder('deletion')
      .where({ serviceId, status: In([...OPEN, 'failed']) })
      .andWhere('selector IS NOT DISTINCT FROM CAST(:selector AS jsonb)', { selector: selectorText(selector) })
      .orderBy('id', 'DESC')
      .getOne();
  }

  /** Orders about whole services of this name that were given up: their services may have no row any more. */
  async findFailedServices(projectId: number, service: string): Promise<DeletionRow[]> {
    const failed = await this.table.findBy({ projectId, service, status: 'failed' });
    return failed.filter(({ selector }) => selector === null);
  }

  /** @param manager - Of a database transaction that the row is to be part of. */
  async add(
    { projectId, serviceId, service, selector }: NewDeletion,
    { labelSetIds, processIds } = NOTHING,
    manager = this.table.manager,
  ): Promise<DeletionRow> {
    const table = manager.getRepository(DeletionEntity);
    const { identifiers } = await table.insert({
      projectId,
      serviceId,
      service,
      selector: selector.kind === 'service' ? null : selector,
      labelSetIds: [...labelSetIds],
      processIds: [...processIds],
      status: 'pending',
      createdMs: Date.now(),
    });
    return table.findOneByOrFail({ serviceId, id: Number(identifiers[0]!.id) });
  }

  /**
   * One that was given up is tried again from the start; any other stays as it is.
   *
   * @param more - It is about this too from now on.
   */
  async reopen({ serviceId, id }: DeletionKey, more = NOTHING, manager = this.table.manager): Promise<DeletionRow> {
    await manager.query(
      `UPDATE deletion SET state = 'pending', attempts = 0, next_attempt_ms = 0, error_code = NULL, error_message = NULL, finished_ms = NULL,
         label_set_ids = label_set_ids || $3::bigint[], process_ids = process_ids || $4::bigint[]
       WHERE service_id = $1 AND id = $2 AND state = 'failed'`,
      [serviceId, id, arrayText(more.labelSetIds), arrayText(more.processIds)],
    );
    return manager.getRepository(DeletionEntity).findOneByOrFail({ serviceId, id });
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

  /** Those that are to be carried out by now, the oldest first. */
  async listOpen(nowMs: EpochMs): Promise<DeletionKey[]> {
    const isDue = { status: In([...OPEN]), nextAttemptMs: LessThanOrEqual(nowMs) };
    return this.table.find({ where: isDue, order: { id: 'ASC' }, take: QUEUED });
  }

  /** Counts another run of an order that is open. `null`: there is no such order. Called by one at a time. */
  async begin({ serviceId, id }: DeletionKey): Promise<DeletionOrder | null> {
    const isOpen = { serviceId, id, status: In([...OPEN]) };
    const { affected } = await this.table.increment(isOpen, 'attempts', 1);
    if (affected !== 1) return null;
    await this.table.update({ serviceId, id }, { status: 'running', stepsDone: 0, stepsTotal: 0 });
    return this.table
      .createQueryBuilder('deletion')
      .addSelect(['deletion.labelSetIds', 'deletion.processIds', 'deletion.changedTables'])
      .where({ serviceId, id })
      .getOneOrFail();
  }

  /** The steps begin anew: everything is gone through once more. */
  async restartSteps({ serviceId, id }: DeletionKey): Promise<void> {
    await this.table.update({ serviceId, id }, { stepsDone: 0, stepsTotal: 0 });
  }

  async addStep(
    { serviceId, id }: DeletionKey,
    stepsTotal: number,
    { rows = 0, bytes = 0 }: { rows?: number; bytes?: number } = {},
  ): Promise<void> {
    await this.table.query(
      `UPDATE deletion SET steps_done = steps_done + 1, steps_total = $3, rows_removed = rows_removed + $4, bytes_returned = bytes_returned + $5
       WHERE service_id = $1 AND id = $2`,
      [serviceId, id, stepsTotal, rows, bytes],
    );
  }

  /** In the database transaction that takes the rows away: counted once, and their disk is asked back, wherever a worker is killed. */
  async noteRemoved(client: ClientBase, { serviceId, id }: DeletionKey, { rows, tables }: Removed): Promise<void> {
    if (rows === 0 && tables.length === 0) return;
    await client.query(
      `UPDATE deletion SET rows_removed = rows_removed + $3,
         changed_tables = ARRAY (SELECT DISTINCT one FROM unnest(changed_tables || $4::text[]) AS one ORDER BY one)
       WHERE service_id = $1 AND id = $2`,
      [serviceId, id, rows, tables],
    );
  }

  async changedTables({ serviceId, id }: DeletionKey): Promise<string[]> {
    const rows = (await this.table.query(
      'SELECT unnest(changed_tables) AS "table" FROM deletion WHERE service_id = $1 AND id = $2',
      [serviceId, id],
    )) as { table: string }[];
    return rows.map(({ table }) => table);
  }

  async noteRewritten({ serviceId, id }: DeletionKey, table: string): Promise<void> {
    await this.table.query(
      'UPDATE deletion SET changed_tables = array_remove(changed_tables, $3) WHERE service_id = $1 AND id = $2',
      [serviceId, id, table],
    );
  }

  async finish({ serviceId, id }: DeletionKey): Promise<void> {
    const none = { errorCode: null, errorMessage: null, labelSetIds: [], processIds: [] };
    await this.table.update({ serviceId, id }, { status: 'done', finishedMs: Date.now(), ...none });
  }

  /** It is tried again `afterMs` from now. */
  async postpone(key: DeletionKey, error: DeletionError, afterMs: DurationMs): Promise<void> {
    await this.#end(key, error, { status: 'pending', nextAttemptMs: Date.now() + afterMs });
  }

  async fail(key: DeletionKey, error: DeletionError): Promise<void> {
    await this.#end(key, error, { status: 'failed', finishedMs: Date.now() });
  }

  async #end({ serviceId, id }: DeletionKey, { code, message }: DeletionError, how: Partial<DeletionEntity>): Promise<void> {
    await this.table.update({ serviceId, id }, { ...how, errorCode: code, errorMessage: message });
  }
}

export interface DeletionError {
  readonly code: string;
  readonly message: string;
}

function selectorText(selector: DeletionSelector): string | null {
  return selector.kind === 'service' ? null : JSON.stringify(selector);
}
