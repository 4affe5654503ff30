import { Controller, Get, HttpCode, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { retentionRequestSchema, type RetentionAnswer, type RetentionEstimateAnswer } from '@hearth/query-contract';
import type { z } from 'zod';
import { BodyOf } from '../../platform/http/index.js';
import { Authorised, ProjectId } from '../access/index.js';
import { Retention } from './retention.js';

@ApiTags('retention')
@Controller('api/v1/retention')
export class RetentionController {
  constructor(readonly retention: Retention) {}

  @Get()
  @Authorised('read')
  @ApiOperation({ summary: 'How many days the project keeps what' })
  async policy(@ProjectId() projectId: number): Promise<RetentionAnswer> {
    return this.retention.policyOf(projectId);
  }

  @Put()
  @Authorised('admin')
  @ApiOperation({ summary: 'Change how long the project keeps what; what is past goes within minutes' })
  async setPolicy(
    @ProjectId() projectId: number,
    @BodyOf(retentionRequestSchema) days: z.output<typeof retentionRequestSchema>,
  ): Promise<RetentionAnswer> {
    return this.retention.setPolicy(projectId, days);
  }

  @Post('estimate')
  @Authorised('admin')
  @HttpCode(200)
  @ApiOperation({ summary: 'What a policy would remove of what is there now, and what it would leave' })
  async estimate(
    @ProjectId() projectId: number,
    @BodyOf(retentionRequestSchema) days: z.output<typeof retentionRequestSchema>,
  ): Promise<RetentionEstimateAnswer> {
    return this.retention.estimate(projectId, days);
  }
}
