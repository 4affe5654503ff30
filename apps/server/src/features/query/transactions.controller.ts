import { Controller, Get, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { transactionsQuerySchema, type TransactionDetailAnswer, type TransactionsAnswer } from '@hearth/query-contract';
import type { z } from 'zod';
import { QueryOf } from '../../platform/http/index.js';
import { Authorised, ProjectId } from '../access/index.js';
import { ClientSignal } from './client-signal.js';
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
  @ApiOperation({ summary: 'One transaction, and what each value of its labels cost' })
  one(
    @ProjectId() projectId: number,
    @Param('name') name: string,
    @QueryOf(transactionsQuerySchema) request: TransactionsRequest,
    @ClientSignal() signal: AbortSignal,
  ): Promise<TransactionDetailAnswer> {
    return this.gate.run(signal, () => this.transactions.one(projectId, name, request, signal));
  }
}
