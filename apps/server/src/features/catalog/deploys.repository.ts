import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EpochMs, TimeRange } from '@hearth/profile-model';
import type { DeployAnswer } from '@hearth/query-contract';
import { Repository } from 'typeorm';
import { HearthError } from '../../platform/http/index.js';
import { Limits } from '../limits/index.js';
import { DeployEntity } from './deploy.entity.js';
import { Origins } from './origins.repository.js';
import { Releases } from './releases.repository.js';

export interface AnnouncedDeploy {
  readonly service: string;
  readonly environment: string;
  readonly revision: string;
  readonly atMs: EpochMs;
  readonly version: string;
  readonly branch: string;
}

/** When which revision went where. */
@Injectable()
export class Deploys {
  constructor(
    @InjectRepository(DeployEntity) readonly table: Repository<DeployEntity>,
    readonly origins: Origins,
    readonly releases: Releases,
    readonly limits: Limits,
  ) {}

  /**
   * Makes the service, environment and revision where they are new: CI often announces before the first process starts. Announced twice, it is there once.
   *
   * @throws {HearthError} `TOO_MANY_SERVICES`, `TOO_MANY_ENVIRONMENTS`, `TOO_MANY_RELEASES`; counted
   */
  async announce(projectId: number, deploy: AnnouncedDeploy): Promise<DeployAnswer> {
    const { service, environment, revision, atMs, version, branch } = deploy;
    const { serviceId, environmentId, revisionId } = await this.#ensureRelease(projectId, deploy);
    await this.table.query(
      `INSERT INTO deploy (service_id, environment_id, revision_id, at_ms, version, branch, source)
       SELECT $1, $2, $3, $4, $5, $6, 'announced'
       WHERE NOT EXISTS (SELECT FROM deploy WHERE service_id = $1 AND environment_id = $2 AND revision_id = $3 AND at_ms = $4 AND source = 'announced')`,
      [serviceId, environmentId, revisionId, atMs, version, branch],
    );
    return { service, environment, revision, atMs, version, branch, source: 'announced' };
  }

  async #ensureRelease(projectId: number, deploy: AnnouncedDeploy) {
    const { service, atMs } = deploy;
    const limits = await this.limits.ofService(projectId, service);
    let storedService = ''; // a name that was never stored must not be written down
    try {
      const serviceId = await this.origins.ensureService(projectId, service, atMs, limits);
      storedService = service;
      return { serviceId, ...(await this.releases.ensureAnnounced(serviceId, deploy, atMs, limits)) };
    } catch (error) {
      if (error instanceof HearthError)
        this.limits.hits.add({ projectId, service: storedService, code: error.code, outcome: 'refused' });
      throw error;
    }
  }

  /** The latest first. One that was announced is not listed again as seen. */
  async list(projectId: number, { fromMs, untilMs }: TimeRange, service?: string): Promise<DeployAnswer[]> {
    return (await this.table.query(
      `SELECT service.name AS service, environment.name AS environment, revision.name AS revision, deploy.at_ms AS "atMs", deploy.version, deploy.branch, deploy.source
       FROM service
       JOIN deploy ON deploy.service_id = service.id
       JOIN environment ON environment.service_id = service.id AND environment.id = deploy.environment_id
       JOIN revision ON revision.service_id = service.id AND revision.id = deploy.revision_id
       WHERE service.project_id = $1 AND deploy.at_ms >= $2 AND deploy.at_ms < $3 AND ($4::text IS NULL OR service.name = $4)
         AND NOT (deploy.source = 'seen' AND EXISTS (SELECT FROM deploy AS announced WHERE announced.service_id = deploy.service_id
           AND announced.environment_id = deploy.environment_id AND announced.revision_id = deploy.revision_id AND announced.source = 'announced'))
       ORDER BY deploy.at_ms DESC, deploy.id DESC
       LIMIT 1000`,
      [projectId, fromMs, untilMs, service ?? null],
    )) as DeployAnswer[];
  }
}
