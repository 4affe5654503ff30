import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { dataDeletionQuerySchema, type DataDeletionRequest, type DeletionAnswer } from '@hearth/query-contract';
import { QueryOf } from '../../platform/http/index.js';
import { Authorised, ProjectId } from '../access/index.js';
import { DeletionOrders } from './deletion-orders.js';

@ApiTags('retention')
@Controller('api/v1')
@Authorised('admin')
export class DeletionsController {
  constructor(readonly orders: DeletionOrders) {}

  @Delete('services/:service')
  @HttpCode(202)
  @ApiOperation({ summary: 'Order that everything of a service is deleted' })
  async order(@ProjectId() projectId: number, @Param('service') service: string): Promise<DeletionAnswer> {
    return this.orders.order(projectId, service);
  }

  @Delete('services/:service/data')
  @HttpCode(202)
  @ApiOperation({ summary: 'Order that a part of a service is deleted: a range of time, or a value of a label' })
  async orderData(
    @ProjectId() projectId: number,
    @Param('service') service: string,
    @QueryOf(dataDeletionQuerySchema) request: DataDeletionRequest,
  ): Promise<DeletionAnswer> {
    return this.orders.orderData(projectId, service, request);
  }

  @Get('deletions')
  @ApiOperation({ summary: 'The last hundred orders to delete, and how far they are' })
  async list(@ProjectId() projectId: number): Promise<DeletionAnswer[]> {
    return this.orders.list(projectId);
  }

  @Get('deletions/:id')
  @ApiOperation({ summary: 'How far an order to delete is' })
  async find(@ProjectId() projectId: number, @Param('id') id: string): Promise<DeletionAnswer> {
    return this.orders.find(projectId, id);
  }
}
