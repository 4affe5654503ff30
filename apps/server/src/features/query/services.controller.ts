import { Controller, Get, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  labelsQuerySchema,
  type LabelsAnswer,
  type LabelValuesAnswer,
  type ProcessAnswer,
  type RevisionAnswer,
  type ServiceAnswer,
} from '@hearth/query-contract';
import type { z } from 'zod';
import { QueryOf } from '../../platform/http/index.js';
import { Authorised, ProjectId } from '../access/index.js';
import { ClientSignal } from './client-signal.js';
import { QueryGate } from './query-gate.js';
import { ServiceQueries } from './service-queries.js';

type LabelsRequest = z.output<typeof labelsQuerySchema>;

@ApiTags('query')
@Authorised('read')
@Controller('api/v1/services')
export class ServicesController {
  constructor(
    readonly gate: QueryGate,
    readonly services: ServiceQueries,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Every service, with its figures of the last minutes' })
  list(@ProjectId() projectId: number, @ClientSignal() signal: AbortSignal): Promise<ServiceAnswer[]> {
    return this.gate.run(signal, () => this.services.list(projectId, signal));
  }

  @Get(':service/revisions')
  @ApiOperation({ summary: 'Revisions that were seen, the latest first' })
  revisions(@ProjectId() projectId: number, @Param('service') service: string): Promise<RevisionAnswer[]> {
    return this.services.revisions(projectId, service);
  }

  @Get(':service/processes')
  @ApiOperation({ summary: 'Processes that were seen, the last heard of first' })
  processes(@ProjectId() projectId: number, @Param('service') service: string): Promise<ProcessAnswer[]> {
    return this.services.processes(projectId, service);
  }

  @Get(':service/labels')
  @ApiOperation({ summary: 'Labels that samples of a range carry' })
  labels(
    @ProjectId() projectId: number,
    @Param('service') service: string,
    @QueryOf(labelsQuerySchema) range: LabelsRequest,
    @ClientSignal() signal: AbortSignal,
  ): Promise<LabelsAnswer> {
    return this.gate.run(signal, () => this.services.labels(projectId, service, range, signal));
  }

  @Get(':service/labels/:name/values')
  @ApiOperation({ summary: 'Values of one label within a range' })
  labelValues(
    @ProjectId() projectId: number,
    @Param('service') service: string,
    @Param('name') name: string,
    @QueryOf(labelsQuerySchema) range: LabelsRequest,
    @ClientSignal() signal: AbortSignal,
  ): Promise<LabelValuesAnswer> {
    return this.gate.run(signal, () => this.services.labelValues(projectId, service, name, range, signal));
  }
}
