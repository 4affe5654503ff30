import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Logger } from 'pino';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { HearthError } from '../../platform/http/index.js';
import { LOGGER } from '../../platform/observability/index.js';
import { WindowRepository } from '../profile-store/index.js';
import { IngestGate } from './ingest-gate.js';

const RETRY_SECONDS = 30;

/**
 * Shuts the gate while more windows wait to be built than MAX_PENDING_WINDOWS: their blocks cannot be dropped, so without workers the disk would fill
 * with the largest form of everything.
 */
@Injectable()
export class BacklogWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #looking = Promise.resolve();

  constructor(
    @Inject(ENVIRONMENT) readonly environment: Environment,
    @Inject(LOGGER) readonly logger: Logger,
    readonly windows: WindowRepository,
    readonly gate: IngestGate,
  ) {}

  onApplicationBootstrap(): void {
    this.#looking = this.#look();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    try {
      const { count } = await this.windows.pendingBacklog();
      if (count > this.environment.maxPendingWindows) this.gate.shut(tooMany(count, this.environment.maxPendingWindows));
      else this.gate.open();
    } catch (error) {
      this.logger.warn({ err: error }, 'it is not known how many windows wait to be built');
    }
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => (this.#looking = this.#look()), this.environment.tickMs);
  }
}

function tooMany(count: number, max: number): HearthError {
  return new HearthError(
    'ROLLUP_BEHIND',
    `${count} windows wait to be built, ${max} may (MAX_PENDING_WINDOWS): no worker runs, or too few; send again later`,
    { status: 429, retryAfterSeconds: RETRY_SECONDS },
  );
}
