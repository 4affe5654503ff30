import { Controller, Get, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { quotaRequestSchema, type LimitsAnswer } from '@hearth/query-contract';
import type { z } from 'zod';
import { BodyOf } from '../../platform/http/index.js';
import { Authorised, ProjectId } from '../access/index.js';
import { Limits } from './limits.js';

@ApiTags('limits')
@Controller('api/v1/limits')
export class LimitsController {
  constructor(readonly limits: Limits) {}

  @Get()
  @Authorised('read')
  @ApiOperation({ summary: 'The quota of the project, and what was folded, dropped or refused of each of its services' })
  async read(@ProjectId() projectId: number): Promise<LimitsAnswer> {
    const quota = await this.limits.quotas.of(projectId);
    const hits = await this.limits.hits.list(projectId);
    return {
      quota,
      hits: hits.map(({ service, code, outcome, count, firstMs, lastMs }) => ({
        service,
        code,
        outcome,
        count,
        firstMs,
        lastMs,
      })),
    };
  }

  @Put()
  @Authorised('admin')
  @ApiOperation({ summary: 'Change the quota of the project: what is left out stays, null goes back to the default' })
  async change(
    @ProjectId() projectId: number,
    @BodyOf(quotaRequestSchema) change: z.output<typeof quotaRequestSchema>,
  ): Promise<LimitsAnswer> {
    await this.limits.quotas.change(projectId, change);
    return this.read(projectId);
  }
}
