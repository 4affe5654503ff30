import { Controller, Get, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { projectRequestSchema, type SessionAnswer } from '@hearth/query-contract';
import type { z } from 'zod';
import { BodyOf } from '../../platform/http/index.js';
import { Authorised, type AuthorisedRequest } from './authorised.js';
import { Projects, type Project } from './projects.repository.js';

type ProjectAnswer = SessionAnswer['projects'][number];

@ApiTags('access')
@Controller('api/v1/projects')
export class ProjectsController {
  constructor(readonly projects: Projects) {}

  @Get()
  @Authorised('read')
  @ApiOperation({ summary: 'The project of this key, or all that a user sees' })
  async list(@Req() { caller, projectId }: AuthorisedRequest): Promise<ProjectAnswer[]> {
    return (await this.projects.list()).filter(({ id }) => 'user' in caller || id === projectId).map(answer);
  }

  @Post()
  @Authorised('admin')
  @ApiOperation({ summary: 'Make a project; one of that name stays as it is' })
  async create(@BodyOf(projectRequestSchema) { name }: z.output<typeof projectRequestSchema>): Promise<ProjectAnswer> {
    return answer(await this.projects.ensure(name));
  }
}

function answer({ id, name }: Project): ProjectAnswer {
  return { id: String(id), name };
}
