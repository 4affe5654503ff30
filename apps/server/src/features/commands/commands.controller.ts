import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { commandRequestSchema, type CommandAnswer } from '@hearth/query-contract';
import type { z } from 'zod';
import { BodyOf } from '../../platform/http/index.js';
import { Authorised, ProjectId } from '../access/index.js';
import { CommandDesk } from './command-desk.js';

@ApiTags('commands')
@Controller('api/v1/services/:service/commands')
export class CommandsController {
  constructor(readonly desk: CommandDesk) {}

  @Post()
  @Authorised('admin')
  @HttpCode(201)
  @ApiOperation({ summary: 'Ask agents of a service to do something; each hears of it when it next sends' })
  async give(
    @ProjectId() projectId: number,
    @Param('service') service: string,
    @BodyOf(commandRequestSchema) request: z.output<typeof commandRequestSchema>,
  ): Promise<CommandAnswer> {
    return this.desk.give(projectId, service, request);
  }

  @Get()
  @Authorised('read')
  @ApiOperation({ summary: 'Commands of the last day, the latest first' })
  async list(@ProjectId() projectId: number, @Param('service') service: string): Promise<CommandAnswer[]> {
    return this.desk.list(projectId, service);
  }
}
