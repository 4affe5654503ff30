import { Controller, Delete, HttpCode, Param, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { PinAnswer } from '@hearth/query-contract';
import { Authorised, ProjectId } from '../access/index.js';
import { Pins } from './pins.js';

@ApiTags('retention')
@Controller('api/v1/services/:service/revisions/:revision/pin')
@Authorised('admin')
export class PinsController {
  constructor(readonly pins: Pins) {}

  @Put()
  @ApiOperation({ summary: 'Keep a revision comparable for ever' })
  async pin(
    @ProjectId() projectId: number,
    @Param('service') service: string,
    @Param('revision') revision: string,
  ): Promise<PinAnswer> {
    return this.pins.pin(projectId, service, revision);
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ summary: 'End a pin; what is kept only for it goes at once' })
  async unpin(
    @ProjectId() projectId: number,
    @Param('service') service: string,
    @Param('revision') revision: string,
  ): Promise<void> {
    await this.pins.unpin(projectId, service, revision);
  }
}
