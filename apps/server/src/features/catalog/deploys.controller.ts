import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { deployRequestSchema, deploysQuerySchema, type DeployAnswer } from '@hearth/query-contract';
import type { z } from 'zod';
import { BodyOf, QueryOf } from '../../platform/http/index.js';
import { Authorised, ProjectId } from '../access/index.js';
import { DeployJournal } from './deploy-journal.js';

@ApiTags('deploys')
@Controller('api/v1/deploys')
export class DeploysController {
  constructor(readonly journal: DeployJournal) {}

  @Post()
  @Authorised('ingest')
  @HttpCode(201)
  @ApiOperation({ summary: 'Announce that a revision went into an environment' })
  async announce(
    @ProjectId() projectId: number,
    @BodyOf(deployRequestSchema) body: z.output<typeof deployRequestSchema>,
  ): Promise<DeployAnswer> {
    return this.journal.announce(projectId, body);
  }

  @Get()
  @Authorised('read')
  @ApiOperation({ summary: 'Deploys of a range, announced and seen, the latest first' })
  async list(
    @ProjectId() projectId: number,
    @QueryOf(deploysQuerySchema) query: z.output<typeof deploysQuerySchema>,
  ): Promise<DeployAnswer[]> {
    return this.journal.list(projectId, query);
  }
}
