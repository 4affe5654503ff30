import { Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { apiKeyRequestSchema, type ApiKeyAnswer } from '@hearth/query-contract';
import type { z } from 'zod';
import { BodyOf } from '../../platform/http/index.js';
import { Administration } from './administration.js';
import { Authorised, ProjectId } from './authorised.js';

@ApiTags('access')
@Controller('api/v1/api-keys')
@Authorised('admin')
export class ApiKeysController {
  constructor(readonly administration: Administration) {}

  @Get()
  @ApiOperation({ summary: 'Keys of the project, without the keys themselves' })
  async list(@ProjectId() projectId: number): Promise<ApiKeyAnswer[]> {
    return this.administration.listKeys(projectId);
  }

  @Post()
  @ApiOperation({ summary: 'Make a key; this answer is the only one that shows it' })
  async create(
    @ProjectId() projectId: number,
    @BodyOf(apiKeyRequestSchema) { name, kind }: z.output<typeof apiKeyRequestSchema>,
  ): Promise<ApiKeyAnswer> {
    return this.administration.createKey(projectId, name, kind);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a key; other servers may accept it for ten more seconds' })
  async delete(@ProjectId() projectId: number, @Param('id') id: string): Promise<void> {
    await this.administration.deleteKey(projectId, id);
  }
}
