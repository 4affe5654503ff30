import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { BatchesAnswer } from '@hearth/query-contract';
import { BATCH_CONTENT_TYPE } from '@hearth/wire-format';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { contentEncoding, HearthError } from '../../platform/http/index.js';
import { Authorised, type AuthorisedRequest } from '../access/index.js';
import { BatchIntake } from './batch-intake.js';
import { BodyIntake } from './body-intake.js';

@ApiTags('ingest')
@Controller('api/v1/batches')
export class BatchesController {
  constructor(
    @Inject(ENVIRONMENT) readonly environment: Environment,
    readonly bodies: BodyIntake,
    readonly batches: BatchIntake,
  ) {}

  @Post()
  @Authorised('ingest')
  @HttpCode(202)
  @ApiOperation({ summary: 'What agents measured; answered after it is committed' })
  @ApiConsumes(BATCH_CONTENT_TYPE)
  async take(@Req() request: AuthorisedRequest): Promise<BatchesAnswer> {
    const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
    if (type !== BATCH_CONTENT_TYPE)
      throw new HearthError('CONTENT_TYPE_UNSUPPORTED', `send batches as ${BATCH_CONTENT_TYPE}`, { status: 415 });
    const encoding = contentEncoding(request.headers['content-encoding']);
    return this.bodies.read(request, (admitted) => this.batches.take(admitted, encoding));
  }
}
