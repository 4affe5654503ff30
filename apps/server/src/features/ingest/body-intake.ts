import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { readBody } from '../../platform/http/index.js';
import { ByteBudget, type GrowTo } from './byte-budget.js';
import { IngestMetrics } from './ingest-metrics.js';

/** Reads bodies within the bounds of one body and of all together. */
@Injectable()
export class BodyIntake {
  readonly #maxBytes: number;
  readonly #budget: ByteBudget;
  readonly #metrics: IngestMetrics;

  constructor(@Inject(ENVIRONMENT) environment: Environment, metrics: IngestMetrics) {
    this.#maxBytes = environment.maxBatchBytes;
    this.#budget = new ByteBudget(environment.maxQueuedBytes);
    this.#metrics = metrics;
  }

  /**
   * Reads the body and holds its bytes in the budget until `work` is done. `work` says how many more it holds once the body is decoded.
   *
   * @throws {HearthError} `BODY_TOO_LARGE` 413, `BODY_INCOMPLETE`, `INGEST_BUSY` 429
   */
  async read<Result>(
    request: IncomingMessage,
    work: (body: Uint8Array<ArrayBuffer>, growTo: GrowTo) => Promise<Result>,
  ): Promise<Result> {
    // Before it is read, as announced; a body sent in chunks is counted as the largest that could come.
    const announcedBytes = Number(request.headers['content-length'] ?? this.#maxBytes);
    return this.#budget
      .hold(Math.min(announcedBytes, this.#maxBytes), async (growTo) => {
        this.#metrics.queuedBytes.set(this.#budget.usedBytes);
        const body = await readBody(request, this.#maxBytes);
        this.#metrics.batchBytes.observe(body.length);
        return work(body, (bytes) => {
          growTo(bytes);
          this.#metrics.queuedBytes.set(this.#budget.usedBytes);
        });
      })
      .finally(() => {
        this.#metrics.queuedBytes.set(this.#budget.usedBytes);
      });
  }
}
