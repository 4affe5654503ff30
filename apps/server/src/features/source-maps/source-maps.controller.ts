import { Controller, Delete, Get, HttpCode, Post, Req } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  sourceMapClaimsSchema,
  sourceMapRevisionSchema,
  sourceMapsQuerySchema,
  sourceMapUploadSchema,
  type RemovedSourceMapsAnswer,
  type SourceMapAnswer,
  type SourceMapClaimsAnswer,
  type SourceMapsAnswer,
} from '@hearth/query-contract';
import type { z } from 'zod';
import { BodyOf, contentEncoding, QueryOf } from '../../platform/http/index.js';
import { Authorised, ProjectId, type AuthorisedRequest } from '../access/index.js';
import { SourceMapDesk } from './source-map-desk.js';
import { SourceMapIntake } from './source-map-intake.js';
import { SourceMapList } from './source-map-list.js';

@ApiTags('source maps')
@Controller('api/v1/source-maps')
export class SourceMapsController {
  constructor(
    readonly intake: SourceMapIntake,
    readonly stored: SourceMapList,
    readonly desk: SourceMapDesk,
  ) {}

  @Post()
  @Authorised('ingest')
  @HttpCode(200)
  @ApiOperation({
    summary: 'The source map of one generated file of a revision; what comes after it is shown by its original names',
  })
  @ApiConsumes('application/json')
  async take(
    @Req() request: AuthorisedRequest,
    @QueryOf(sourceMapUploadSchema) upload: z.output<typeof sourceMapUploadSchema>,
  ): Promise<SourceMapAnswer> {
    return this.intake.take(request, upload, contentEncoding(request.headers['content-encoding']));
  }

  @Post('claims')
  @Authorised('ingest')
  @HttpCode(200)
  @ApiOperation({ summary: 'Which source maps of a revision a process is to send: each is claimed by one' })
  async claim(
    @ProjectId() projectId: number,
    @BodyOf(sourceMapClaimsSchema) request: z.output<typeof sourceMapClaimsSchema>,
  ): Promise<SourceMapClaimsAnswer> {
    return this.desk.claim(projectId, request);
  }

  @Get()
  @Authorised('read')
  @ApiOperation({ summary: 'The source maps there are, and the files that came minified without one' })
  async list(
    @ProjectId() projectId: number,
    @QueryOf(sourceMapsQuerySchema) query: z.output<typeof sourceMapsQuerySchema>,
  ): Promise<SourceMapsAnswer> {
    return this.stored.list(projectId, query);
  }

  @Delete()
  @Authorised('admin')
  @ApiOperation({ summary: 'Delete the source maps of one revision; what was stored with them keeps its names' })
  async remove(
    @ProjectId() projectId: number,
    @QueryOf(sourceMapRevisionSchema) { service, revision }: z.output<typeof sourceMapRevisionSchema>,
  ): Promise<RemovedSourceMapsAnswer> {
    return this.stored.remove(projectId, service, revision);
  }
}
