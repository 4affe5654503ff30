import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { ProjectQuotaEntity } from './project-quota.entity.js';

/** What a project may send. */
export interface Quota {
  /** Profiles in a minute, for each api process; `null`: any number. */
  readonly profilesPerMinute: number | null;
  /** Bytes of bodies as they come in a minute, for each api process; `null`: any number. */
  readonly bytesPerMinute: number | null;
  /** Services of the project; a batch of one more is refused. */
  readonly services: number;
  /** Environments of one service; one more is counted as `__other__`. */
  readonly environmentsPerService: number;
  /** Releases (a revision in an environment) of one service within a day; the revision of one more is counted as `__other__`. */
  readonly releasesPerService: number;
  /** Processes that one service was heard of within a day; one more is counted as the process `__other__`. */
  readonly processesPerService: number;
  /** Label sets of one service; the values of one more are counted as `__other__`. */
  readonly labelSetsPerService: number;
  /** Different values of the label `transaction` in one service; one more is counted as `__other__`. */
  readonly transactionNamesPerService: number;
}

export const DEFAULT_QUOTA: Quota = {
  profilesPerMinute: null,
  bytesPerMinute: null,
  services: 1_000,
  environmentsPerService: 1_000,
  releasesPerService: 1_000,
  processesPerService: 20_000,
  labelSetsPerService: 100_000,
  transactionNamesPerService: 5_000,
};

/** Given to a project instead of a default; `null` goes back to the default. */
export type QuotaChange = { readonly [Name in keyof Quota]?: number | null | undefined };

/** Every batch asks. A change is felt on other servers within this time. */
const REMEMBERED_MS = 10_000;

/** Owns project_quota. */
@Injectable()
export class Quotas {
  readonly #remembered = new Map<number, { quota: Quota; untilMs: number }>();

  constructor(@InjectRepository(ProjectQuotaEntity) private readonly table: Repository<ProjectQuotaEntity>) {}

  async of(projectId: number): Promise<Quota> {
    const remembered = this.#remembered.get(projectId);
    if (remembered !== undefined && remembered.untilMs > Date.now()) return remembered.quota;
    const row = await this.table.findOneBy({ projectId });
    const quota: Quota = {
      profilesPerMinute: row?.profilesPerMinute ?? DEFAULT_QUOTA.profilesPerMinute,
      bytesPerMinute: row?.bytesPerMinute ?? DEFAULT_QUOTA.bytesPerMinute,
      services: row?.services ?? DEFAULT_QUOTA.services,
      environmentsPerService: row?.environmentsPerService ?? DEFAULT_QUOTA.environmentsPerService,
      releasesPerService: row?.releasesPerService ?? DEFAULT_QUOTA.releasesPerService,
      processesPerService: row?.processesPerService ?? DEFAULT_QUOTA.processesPerService,
      labelSetsPerService: row?.labelSetsPerService ?? DEFAULT_QUOTA.labelSetsPerService,
      transactionNamesPerService: row?.transactionNamesPerService ?? DEFAULT_QUOTA.transactionNamesPerService,
    };
    this.#remembered.set(projectId, { quota, untilMs: Date.now() + REMEMBERED_MS });
    return quota;
  }

  /** @returns The quota as it is then. */
  async change(projectId: number, change: QuotaChange): Promise<Quota> {
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    await this.table.upsert({ projectId, ...given }, ['projectId']);
    this.#remembered.delete(projectId);
    return this.of(projectId);
  }
}
