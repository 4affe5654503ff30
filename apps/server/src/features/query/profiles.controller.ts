import { Controller, Get, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import {
  exportQuerySchema,
  functionsQuerySchema,
  linesQuerySchema,
  processMetricsQuerySchema,
  selectionSchema,
  timelineQuerySchema,
  type FlameGraphAnswer,
  type FunctionsAnswer,
  type LinesAnswer,
  type ProcessMetricsAnswer,
  type TimelineAnswer,
} from '@hearth/query-contract';
import type { Response } from 'express';
import type { z } from 'zod';
import { QueryOf } from '../../platform/http/index.js';
import { Authorised, ProjectId } from '../access/index.js';
import { ClientSignal } from './client-signal.js';
import { LineQueries } from './line-queries.js';
import { ProcessMetricQueries } from './process-metric-queries.js';
import { ProfileQueries } from './profile-queries.js';
import { QueryGate } from './query-gate.js';
import { TimelineQueries } from './timeline-queries.js';

@ApiTags('query')
@Authorised('read')
@Controller('api/v1')
export class ProfilesController {
  constructor(
    readonly gate: QueryGate,
    readonly profiles: ProfileQueries,
    readonly timelines: TimelineQueries,
    readonly lineQueries: LineQueries,
    readonly processMetricQueries: ProcessMetricQueries,
  ) {}

  @Get('flame-graph')
  @ApiOperation({ summary: 'Merged call tree of a selection' })
  flameGraph(
    @ProjectId() projectId: number,
    @QueryOf(selectionSchema) selection: z.output<typeof selectionSchema>,
    @ClientSignal() signal: AbortSignal,
  ): Promise<FlameGraphAnswer> {
    return this.gate.run(signal, () => this.profiles.flameGraph(projectId, selection, signal));
  }

  @Get('functions')
  @ApiOperation({ summary: 'Self and total value of each function of a selection' })
  functions(
    @ProjectId() projectId: number,
    @QueryOf(functionsQuerySchema) request: z.output<typeof functionsQuerySchema>,
    @ClientSignal() signal: AbortSignal,
  ): Promise<FunctionsAnswer> {
    return this.gate.run(signal, () => this.profiles.functions(projectId, request, signal));
  }

  @Get('lines')
  @ApiOperation({ summary: 'Self and total value of each line of one file at one revision, where lines were recorded' })
  lines(
    @ProjectId() projectId: number,
    @QueryOf(linesQuerySchema) request: z.output<typeof linesQuerySchema>,
    @ClientSignal() signal: AbortSignal,
  ): Promise<LinesAnswer> {
    return this.gate.run(signal, () => this.lineQueries.lines(projectId, request, signal));
  }

  @Get('process-metrics')
  @ApiOperation({ summary: 'What processes measured of themselves, per step: CPU, memory, event loop, collections' })
  processMetrics(
    @ProjectId() projectId: number,
    @QueryOf(processMetricsQuerySchema) request: z.output<typeof processMetricsQuerySchema>,
    @ClientSignal() signal: AbortSignal,
  ): Promise<ProcessMetricsAnswer> {
    return this.gate.run(signal, () => this.processMetricQueries.metrics(projectId, request, signal));
  }

  @Get('timeline')
  @ApiOperation({ summary: 'Value of a selection per step, with the deploys of its range' })
  timeline(
    @ProjectId() projectId: number,
    @QueryOf(timelineQuerySchema) request: z.output<typeof timelineQuerySchema>,
    @ClientSignal() signal: AbortSignal,
  ): Promise<TimelineAnswer> {
    return this.gate.run(signal, () => this.timelines.timeline(projectId, request, signal));
  }

  @Get('export')
  @ApiOperation({ summary: 'A selection as a file for other tools' })
  @ApiProduces('application/octet-stream', 'text/plain')
  async export(
    @ProjectId() projectId: number,
    @QueryOf(exportQuerySchema) request: z.output<typeof exportQuerySchema>,
    @ClientSignal() signal: AbortSignal,
    @Res() response: Response,
  ): Promise<void> {
    const file = await this.gate.run(signal, () => this.profiles.export(projectId, request, signal));
    response.setHeader('Content-Disposition', `attachment; filename="${file.name}"`);
    response.type(file.contentType).send(Buffer.from(file.bytes.buffer, file.bytes.byteOffset, file.bytes.byteLength));
  }
}
