import { Controller, Get, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { projectRequestSchema } from '@hearth/query-contract';
import type { z } from 'zod';
import { BodyOf } from '../../platform/http/index.js';
import { Administration, type ProjectAnswer } from './administration.js';
import { Authorised, type AuthorisedRequest } from './authorised.js';

@ApiTags('access')
@Controller('api/v1/projects')
export class ProjectsController {
  constructor(readonly administration: Administration) {}

  @Get()
  @Authorised('read')
  @ApiOperation({ summary: 'The project of this key, or all that a user sees' })
  async list(@Req() { caller, projectId }: AuthorisedRequest): Promise<ProjectAnswer[]> {
    return this.administration.listProjects(caller, projectId);
  }

  @Post()
  @Authorised('admin')
  @ApiOperation({ summary: 'Make a project; one of that name stays as it is' })
  async create(@BodyOf(projectRequestSchema) { name }: z.output<typeof projectRequestSchema>): Promise<ProjectAnswer> {
    return this.administration.createProject(name);
  }
}
