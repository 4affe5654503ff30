import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { deployRequestSchema, deploysQuerySchema, type DeployAnswer } from '@hearth/query-contract';
import type { z } from 'zod';
import { BodyOf, parseTime, QueryOf } from '../../platform/http/index.js';
import { Authorised, ProjectId } from '../access/index.js';
import { Deploys } from './deploys.repository.js';

@ApiTags('deploys')
@Controller('api/v1/deploys')
export class DeploysController {
  constructor(readonly deploys: Deploys) {}

  @Post()
  @Authorised('ingest')
  @HttpCode(201)
  @ApiOperation({ summary: 'Announce that a revision went into an environment' })
  async announce(@ProjectId() projectId: number, @BodyOf(deployRequestSchema) body: z.output<typeof deployRequestSchema>): Promise<DeployAnswer> {
    const { service, environment, revision, at = 'now', version = '', branch = '' } = body;
    return this.deploys.announce(projectId, { service, environment, revision, atMs: parseTime(String(at), Date.now()), version, branch });
  }

  @Get()
  @Authorised('read')
  @ApiOperation({ summary: 'Deploys of a range, announced and seen, the latest first' })
  async list(@ProjectId() projectId: number, @QueryOf(deploysQuerySchema) query: z.output<typeof deploysQuerySchema>): Promise<DeployAnswer[]> {
    const nowMs = Date.now();
    return this.deploys.list(projectId, { fromMs: parseTime(query.from, nowMs), untilMs: parseTime(query.until, nowMs) }, query.service);
  }
}
