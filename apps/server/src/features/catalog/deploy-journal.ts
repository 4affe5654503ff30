import { Injectable } from '@nestjs/common';
import type { deployRequestSchema, deploysQuerySchema, DeployAnswer } from '@hearth/query-contract';
import type { z } from 'zod';
import { parseTime } from '../../platform/http/index.js';
import { Deploys } from './deploys.repository.js';

/** Deploys, as the API takes and shows them. */
@Injectable()
export class DeployJournal {
  constructor(readonly deploys: Deploys) {}

  /** @throws {HearthError} `TIME_INVALID` */
  async announce(projectId: number, request: z.output<typeof deployRequestSchema>): Promise<DeployAnswer> {
    const { at = 'now', version = '', branch = '' } = request;
    return this.deploys.announce(projectId, { ...request, version, branch, atMs: parseTime(String(at), Date.now()) });
  }

  /** @throws {HearthError} `TIME_INVALID` */
  async list(projectId: number, { from, until, service }: z.output<typeof deploysQuerySchema>): Promise<DeployAnswer[]> {
    const nowMs = Date.now();
    return this.deploys.list(projectId, { fromMs: parseTime(from, nowMs), untilMs: parseTime(until, nowMs) }, service);
  }
}
