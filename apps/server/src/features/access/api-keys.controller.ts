import { Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { apiKeyRequestSchema, type ApiKeyAnswer } from '@hearth/query-contract';
import type { z } from 'zod';
import { BodyOf, HearthError } from '../../platform/http/index.js';
import { ApiKeys, type ApiKey } from './api-keys.repository.js';
import { Authorised, ProjectId } from './authorised.js';

@ApiTags('access')
@Controller('api/v1/api-keys')
@Authorised('admin')
export class ApiKeysController {
  constructor(readonly apiKeys: ApiKeys) {}

  @Get()
  @ApiOperation({ summary: 'Keys of the project, without the keys themselves' })
  async list(@ProjectId() projectId: number): Promise<ApiKeyAnswer[]> {
    return (await this.apiKeys.list(projectId)).map(answer);
  }

  @Post()
  @ApiOperation({ summary: 'Make a key; this answer is the only one that shows it' })
  async create(@ProjectId() projectId: number, @BodyOf(apiKeyRequestSchema) body: z.output<typeof apiKeyRequestSchema>): Promise<ApiKeyAnswer> {
    const made = await this.apiKeys.create(projectId, body.name, body.kind);
    return { ...answer(made), key: made.key };
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a key; other servers may accept it for ten more seconds' })
  async delete(@ProjectId() projectId: number, @Param('id') id: string): Promise<void> {
    const isDeleted = /^\d{1,15}$/.test(id) && (await this.apiKeys.delete(projectId, Number(id)));
    if (!isDeleted) throw new HearthError('API_KEY_NOT_FOUND', 'this project has no key of this id', { status: 404 });
  }
}

function answer({ id, name, kind, prefix, createdMs, lastUsedMs }: ApiKey): ApiKeyAnswer {
  return { id: String(id), name, kind, prefix, createdMs, lastUsedMs };
}
