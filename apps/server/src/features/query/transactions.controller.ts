import { Controller, Get, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  transactionsQuerySchema,
  type ExemplarAnswer,
  type TransactionDetailAnswer,
  type TransactionsAnswer,
} from '@hearth/query-contract';
import type { z } from 'zod';
import { QueryOf } from '../../platform/http/index.js';
import { Authorised, ProjectId } from '../access/index.js';
import { ClientSignal } from './client-signal.js';
import { ExemplarQueries } from './exemplar-queries.js';
import { QueryGate } from './query-gate.js';
import { TransactionQueries } from './transaction-queries.js';

type TransactionsRequest = z.output<typeof transactionsQuerySchema>;

@ApiTags('query')
@Authorised('read')
@Controller('api/v1/transactions')
export class TransactionsController {
  constructor(
    readonly gate: QueryGate,
    readonly transactions: TransactionQueries,
    readonly exemplars: ExemplarQueries,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Count, errors, durations and CPU of each transaction' })
  list(
    @ProjectId() projectId: number,
    @QueryOf(transactionsQuerySchema) request: TransactionsRequest,
    @ClientSignal() signal: AbortSignal,
  ): Promise<TransactionsAnswer> {
    return this.gate.run(signal, () => this.transactions.list(projectId, request, signal));
  }

  @Get(':name')
  @ApiOperation({ summary: 'One transaction, what each value of its labels cost, and the slowest of its runs' })
  one(
    @ProjectId() projectId: number,
    @Param('name') name: string,
    @QueryOf(transactionsQuerySchema) request: TransactionsRequest,
    @ClientSignal() signal: AbortSignal,
  ): Promise<TransactionDetailAnswer> {
    return this.gate.run(signal, () => this.transactions.one(projectId, name, request, signal));
  }

  @Get('exemplars/:id')
  @ApiOperation({
    summary: 'One slow run of a transaction: its samples and waits in the order of time, its spans and its context',
  })
  exemplar(
    @ProjectId() projectId: number,
    @Param('id') id: string,
    @ClientSignal() signal: AbortSignal,
  ): Promise<ExemplarAnswer> {
    return this.gate.run(signal, () => this.exemplars.one(projectId, id));
  }
}
