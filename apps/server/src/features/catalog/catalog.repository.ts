import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EpochMs, LabelSet } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { Repository } from 'typeorm';
import { HearthError } from '../../platform/http/index.js';
import { EnvironmentEntity } from './environment.entity.js';
import { LabelSets } from './label-sets.repository.js';
import { ProcessEntity } from './process.entity.js';
import { ProfileTypes, type ProfileTypeRow } from './profile-types.repository.js';
import { RevisionEntity } from './revision.entity.js';
import { ServiceEntity } from './service.entity.js';

export type ServiceRow = Readonly<ServiceEntity>;
export type EnvironmentRow = Readonly<EnvironmentEntity>;
export type RevisionRow = Readonly<RevisionEntity>;
export type ProcessRow = Readonly<ProcessEntity>;

/** What there is, for those who ask. Names are unique within their service, services within their project. */
@Injectable()
export class Catalog {
  constructor(
    @InjectRepository(ServiceEntity) readonly serviceTable: Repository<ServiceEntity>,
    @InjectRepository(EnvironmentEntity) readonly environmentTable: Repository<EnvironmentEntity>,
    @InjectRepository(RevisionEntity) readonly revisionTable: Repository<RevisionEntity>,
    @InjectRepository(ProcessEntity) readonly processTable: Repository<ProcessEntity>,
    readonly labelSetRows: LabelSets,
    readonly profileTypeRows: ProfileTypes,
  ) {}

  /** By name. */
  async services(projectId: number): Promise<ServiceRow[]> {
    return this.serviceTable.find({ where: { projectId }, order: { name: 'ASC' } });
  }

  async findService(projectId: number, name: string): Promise<ServiceRow | null> {
    return this.serviceTable.findOneBy({ projectId, name });
  }

  /** @throws {HearthError} `SERVICE_NOT_FOUND` */
  async serviceNamed(projectId: number, name: string): Promise<ServiceRow> {
    // Postgres has no NUL in text, so no service is called so.
    const service = name.includes('\0') ? null : await this.findService(projectId, name);
    if (service === null)
      throw new HearthError(
        'SERVICE_NOT_FOUND',
        `this project has no service ${JSON.stringify(name.slice(0, 100))}: GET /api/v1/services lists them`,
        {
          status: 404,
        },
      );
    return service;
  }

  async environments(serviceId: number): Promise<EnvironmentRow[]> {
    return this.environmentTable.find({ where: { serviceId }, order: { name: 'ASC' } });
  }

  /** The last seen first. */
  async revisions(serviceId: number): Promise<RevisionRow[]> {
    return this.revisionTable.find({ where: { serviceId }, order: { lastSeenMs: 'DESC', id: 'DESC' } });
  }

  /** The last seen first. */
  async processes(serviceId: number): Promise<ProcessRow[]> {
    return this.processTable.find({ where: { serviceId }, order: { lastSeenMs: 'DESC', id: 'DESC' } });
  }

  /**
   * Takes a service out of the list. Whoever still sends for it is told to send again (`CATALOG_GONE_BACK`), and makes a new one of that name.
   */
  async removeService(serviceId: number): Promise<void> {
    await this.serviceTable.delete({ id: serviceId });
  }

  /**
   * Forgets the processes of these services that were last heard of before `beforeMs`, when nothing that names them is kept any more: those of
   * pinned revisions stay. One that comes back is told to send again (`CATALOG_GONE_BACK`), and is a new one.
   */
  async removeProcesses(serviceIds: readonly number[], beforeMs: EpochMs): Promise<void> {
    await this.processTable.query(
      `DELETE FROM process WHERE service_id = ANY ($1) AND last_seen_ms < $2
         AND NOT EXISTS (SELECT FROM pinned_revision AS pin WHERE pin.service_id = process.service_id AND pin.revision_id = process.revision_id)`,
      [serviceIds, beforeMs],
    );
  }

  /** Until the caller's database transaction ends, nobody else lets go of a label of the service. */
  async holdLabels(client: ClientBase, serviceId: number): Promise<void> {
    await client.query('SELECT FROM service WHERE id = $1 FOR NO KEY UPDATE', [serviceId]);
  }

  /**
   * Lets go of everything that holds a label, in the caller's database transaction: label sets of samples and transactions, and processes. Whoever still
   * stores under their ids is told to send again (`CATALOG_GONE_BACK`), and gets others. `holdLabels` comes first.
   * Where nothing holds it nothing is written, so nobody is told anything.
   */
  async retireLabel(
    client: ClientBase,
    serviceId: number,
    name: string,
    value: string,
  ): Promise<{ labelSetIds: number[]; processIds: number[] }> {
    const labelSetIds = await this.labelSetRows.retire(client, serviceId, name, value);
    const removed = await client.query(
      `DELETE FROM process WHERE service_id = $1
         AND EXISTS (SELECT FROM jsonb_array_elements(labels) AS label WHERE label ->> 0 = $2 AND label ->> 1 = $3) RETURNING id`,
      [serviceId, name, value],
    );
    const processIds = (removed.rows as { id: number }[]).map(({ id }) => id);
    if (labelSetIds.length + processIds.length > 0) await this.labelSetRows.raiseGeneration(client, serviceId);
    return { labelSetIds, processIds };
  }

  /** What the service has sent. */
  async profileTypes(serviceId: number): Promise<ProfileTypeRow[]> {
    return this.profileTypeRows.ofService(serviceId);
  }

  /** All of the service by id, as of now. Do not change the map. */
  async labelSets(serviceId: number): Promise<ReadonlyMap<number, LabelSet>> {
    return this.labelSetRows.all(serviceId);
  }
}
