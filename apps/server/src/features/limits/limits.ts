import { Injectable } from '@nestjs/common';
import { LimitHits, type LimitOutcome } from './limit-hits.repository.js';
import { DEFAULT_QUOTA, Quotas, type Quota } from './quotas.repository.js';

/** Stands for every name beyond a limit. */
export const OTHER = '__other__';

/** What one service may bring, and where it is counted that it brought more. */
export interface ServiceLimits {
  readonly quota: Quota;
  hit(code: string, outcome: LimitOutcome, count?: number): void;
}

/** For names that are made by hand, as by announcing a deploy. */
export const DEFAULT_LIMITS: ServiceLimits = { quota: DEFAULT_QUOTA, hit: () => undefined };

/** The limits of projects and their services. */
@Injectable()
export class Limits {
  constructor(
    readonly quotas: Quotas,
    readonly hits: LimitHits,
  ) {}

  async ofService(projectId: number, service: string): Promise<ServiceLimits> {
    return {
      quota: await this.quotas.of(projectId),
      hit: (code, outcome, count) => {
        this.hits.add({ projectId, service, code, outcome }, count);
      },
    };
  }
}
