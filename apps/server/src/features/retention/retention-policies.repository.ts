import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { DEFAULT_RETENTION_DAYS, type RetentionDays } from '@hearth/query-contract';
import { Repository } from 'typeorm';
import { RetentionPolicyEntity } from './retention-policy.entity.js';

/** Owns retention_policy. */
@Injectable()
export class RetentionPolicies {
  constructor(@InjectRepository(RetentionPolicyEntity) readonly table: Repository<RetentionPolicyEntity>) {}

  /** A tier that the policy does not know yet, because it is older, is kept for its default. */
  async of(projectId: number): Promise<RetentionDays> {
    return { ...DEFAULT_RETENTION_DAYS, ...(await this.table.findOneBy({ projectId }))?.days };
  }

  async set(projectId: number, days: RetentionDays): Promise<RetentionDays> {
    await this.table.upsert({ projectId, days, changedMs: Date.now() }, ['projectId']);
    return this.of(projectId);
  }
}
