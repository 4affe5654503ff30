import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import {
  DEFAULT_RETENTION_DAYS,
  RETENTION_TIERS,
  type RetentionAnswer,
  type RetentionDays,
  type RetentionEstimateAnswer,
  type RetentionTier,
} from '@hearth/query-contract';
import { Projects } from '../access/index.js';
import { Catalog } from '../catalog/index.js';
import { Pins } from './pins.js';
import { RetentionPolicies } from './retention-policies.repository.js';
import { RetentionTiers, type Cutoff } from './retention-tiers.js';

const DAY_MS = 86_400_000;

/** How long what is kept. */
@Injectable()
export class Retention {
  constructor(
    readonly projects: Projects,
    readonly catalog: Catalog,
    readonly policies: RetentionPolicies,
    readonly tiers: RetentionTiers,
    readonly pins: Pins,
  ) {}

  async policyOf(projectId: number): Promise<RetentionAnswer> {
    return { days: await this.policies.of(projectId), defaultDays: DEFAULT_RETENTION_DAYS };
  }

  async setPolicy(projectId: number, days: RetentionDays): Promise<RetentionAnswer> {
    return { days: await this.policies.set(projectId, days), defaultDays: DEFAULT_RETENTION_DAYS };
  }

  /** What the project has, told apart by what `days` would remove. */
  async estimate(projectId: number, days: RetentionDays, nowMs: EpochMs = Date.now()): Promise<RetentionEstimateAnswer> {
    const serviceIds = await this.#serviceIds(projectId);
    const tiers = [];
    for (const tier of RETENTION_TIERS) {
      const cutoff = { serviceIds, beforeMs: nowMs - days[tier] * DAY_MS };
      tiers.push({ tier, days: days[tier], ...(await this.tiers.split(tier, cutoff)) });
    }
    return { tiers, pins: await this.pins.amount(serviceIds) };
  }

  /** The cutoffs of all projects for one tier, or for what is to be kept as long as any. */
  async cutoffs(tier: RetentionTier | 'longest', nowMs: EpochMs): Promise<Cutoff[]> {
    const cutoffs = [];
    for (const { id } of await this.projects.list()) {
      const policy = await this.policies.of(id);
      const days = tier === 'longest' ? Math.max(...Object.values(policy)) : policy[tier];
      cutoffs.push({ serviceIds: await this.#serviceIds(id), beforeMs: nowMs - days * DAY_MS });
    }
    return cutoffs;
  }

  /**
   * As `cutoffs`, of transactions. Services with pinned revisions keep theirs as long as hours: what is kept of them is a day, and a range that may
   * still be cut within a day must find its minutes.
   */
  async transactionCutoffs(nowMs: EpochMs, pinnedServiceIds: ReadonlySet<number>): Promise<Cutoff[]> {
    const hours = await this.cutoffs('hours', nowMs);
    return (await this.cutoffs('transactions', nowMs)).flatMap(({ serviceIds, beforeMs }, project) => {
      const pinned = serviceIds.filter((id) => pinnedServiceIds.has(id));
      const others = { serviceIds: serviceIds.filter((id) => !pinnedServiceIds.has(id)), beforeMs };
      return pinned.length === 0
        ? [others]
        : [others, { serviceIds: pinned, beforeMs: Math.min(beforeMs, hours[project]!.beforeMs) }];
    });
  }

  async #serviceIds(projectId: number): Promise<number[]> {
    return (await this.catalog.services(projectId)).map(({ id }) => id);
  }
}
