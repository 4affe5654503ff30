import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { HealthAnswer } from '@hearth/query-contract';
import { HearthError } from '../../platform/http/index.js';
import { LOGGER, Metrics } from '../../platform/observability/index.js';
import type { Logger } from 'pino';
import { Public } from '../access/index.js';
import { Readiness } from './readiness.js';

@ApiTags('health')
@Controller()
@Public()
export class HealthController {
  constructor(
    readonly readiness: Readiness,
    readonly metrics: Metrics,
    @Inject(LOGGER) readonly logger: Logger,
  ) {}

  @Get('healthz')
  @ApiOperation({ summary: 'Alive: the process answers' })
  live(): HealthAnswer {
    return { status: 'ok' };
  }

  @Get('readyz')
  @ApiOperation({ summary: 'Ready: the database and the queue answer, and no shutdown has begun' })
  async ready(): Promise<HealthAnswer> {
    const missing = await this.readiness.whatIsMissing();
    if (missing.length > 0) {
      this.logger.warn({ missing }, 'not ready');
      throw new HearthError('NOT_READY', `not available: ${missing.join(', ')}`, { status: 503, retryAfterSeconds: 5 });
    }
    return { status: 'ok' };
  }

  @Get('metrics')
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({ summary: 'Figures about this process, as Prometheus text' })
  async figures(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}
