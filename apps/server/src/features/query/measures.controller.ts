import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { measuresQuerySchema, type MeasuresAnswer, type MeasuresRequest } from '@hearth/query-contract';
import { QueryOf } from '../../platform/http/index.js';
import { Authorised, ProjectId } from '../access/index.js';
import { ClientSignal } from './client-signal.js';
import { MeasureQueries } from './measure-queries.js';
import { QueryGate } from './query-gate.js';

@ApiTags('query')
@Authorised('read')
@Controller('api/v1/measures')
export class MeasuresController {
  constructor(
    readonly gate: QueryGate,
    readonly measures: MeasureQueries,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Count and durations of each snippet timed by `measure()`, by revision' })
  list(
    @ProjectId() projectId: number,
    @QueryOf(measuresQuerySchema) request: MeasuresRequest,
    @ClientSignal() signal: AbortSignal,
  ): Promise<MeasuresAnswer> {
    return this.gate.run(signal, () => this.measures.list(projectId, request));
  }
}
