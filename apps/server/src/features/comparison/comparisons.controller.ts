import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import { Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { comparisonRequestSchema, type ComparisonAnswer } from '@hearth/query-contract';
import type { Response } from 'express';
import type { z } from 'zod';
import { BodyOf } from '../../platform/http/index.js';
import { Authorised, ProjectId } from '../access/index.js';
import { Comparisons } from './comparisons.js';

@ApiTags('comparison')
@Authorised('read')
@Controller('api/v1/comparisons')
export class ComparisonsController {
  constructor(readonly comparisons: Comparisons) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({ summary: 'Compare two selections; the same request has the same id while its inputs are unchanged' })
  request(
    @ProjectId() projectId: number,
    @BodyOf(comparisonRequestSchema) request: z.output<typeof comparisonRequestSchema>,
  ): Promise<ComparisonAnswer> {
    return this.comparisons.request(projectId, request);
  }

  @Get(':id')
  @ApiOperation({ summary: 'A comparison; its result once a worker has computed it' })
  async find(@ProjectId() projectId: number, @Param('id') id: string, @Res() response: Response): Promise<void> {
    const { answer, result } = await this.comparisons.find(projectId, id);
    // The stored bytes as they are: parsing megabytes to write them again would hold up everybody else.
    const text = result && (await promisify(inflate)(result)).toString();
    const head = JSON.stringify({ ...answer, result: undefined });
    response.type('application/json').send(`${head.slice(0, -1)},"result":${text ?? 'null'}}`);
  }
}
