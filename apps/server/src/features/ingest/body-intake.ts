import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { StorageRoom } from '../../platform/database/storage-room.js';
import { HearthError, readBody } from '../../platform/http/index.js';
import type { AuthorisedRequest } from '../access/index.js';
import { Limits } from '../limits/index.js';
import { ByteBudget, type GrowTo } from './byte-budget.js';
import { IngestGate } from './ingest-gate.js';
import { IngestMetrics } from './ingest-metrics.js';
import { RateQuotas } from './rate-quotas.js';
import { Storing } from './storing.js';

/** A body that was let in. */
export interface Admitted {
  readonly projectId: number;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Holds more of the budget once the body is decoded. @throws {HearthError} `INGEST_BUSY` 429 */
  readonly growTo: GrowTo;
  /** Takes them from the project's quota. */
  readonly countProfiles: (count: number) => void;
}

/** Reads bodies within the bounds of one body, of all together, and of what their project may send. */
@Injectable()
export class BodyIntake {
  readonly #maxBytes: number;
  readonly #budget: ByteBudget;
  readonly #rates = new RateQuotas();

  constructor(
    @Inject(ENVIRONMENT) environment: Environment,
    private readonly metrics: IngestMetrics,
    private readonly limits: Limits,
    private readonly gate: IngestGate,
    private readonly storing: Storing,
    private readonly room: StorageRoom,
  ) {
    this.#maxBytes = environment.maxBatchBytes;
    this.#budget = new ByteBudget(environment.maxQueuedBytes);
  }

  /**
   * Reads the body and holds its bytes in the budget until `work` is done. What is refused before `work` sees it is counted here.
   *
   * @throws {HearthError} `BODY_TOO_LARGE` 413, `BODY_INCOMPLETE`, `INGEST_BUSY` 429, `QUOTA_SPENT` 429, `STORAGE_FULL` 503, what the gate is shut for
   */
  async read<Result>(request: AuthorisedRequest, work: (admitted: Admitted) => Promise<Result>): Promise<Result> {
    const { projectId } = request;
    let isAdmitted = false;
    try {
      this.gate.assertOpen();
      await this.room.assertRoom();
      this.storing.assertFlows(projectId);
      const quota = await this.limits.quotas.of(projectId);
      this.#rates.assertLeft(projectId, quota, Date.now());
      // Before it is read, as announced; a body sent in chunks is counted as the largest that could come.
      const announcedBytes = Number(request.headers['content-length'] ?? this.#maxBytes);
      return await this.#budget.hold(projectId, Math.min(announcedBytes, this.#maxBytes), async (growTo) => {
        this.metrics.queuedBytes.set(this.#budget.usedBytes);
        const body = await readBody(request, this.#maxBytes);
        this.metrics.batchBytes.observe(body.length);
        this.#rates.take(projectId, quota, 'bytesPerMinute', body.length, Date.now());
        isAdmitted = true;
        return work({
          projectId,
          body,
          growTo: (bytes) => {
            growTo(bytes);
            this.metrics.queuedBytes.set(this.#budget.usedBytes);
          },
          countProfiles: (count) => {
            this.#rates.take(projectId, quota, 'profilesPerMinute', count, Date.now());
          },
        });
      });
    } catch (error) {
      if (!isAdmitted && error instanceof HearthError)
        this.limits.hits.add({ projectId, service: '', code: error.code, outcome: 'refused' });
      throw error;
    } finally {
      this.metrics.queuedBytes.set(this.#budget.usedBytes);
    }
  }
}
