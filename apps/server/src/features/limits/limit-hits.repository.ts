import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EpochMs } from '@hearth/profile-model';
import type { Logger } from 'pino';
import { Counter } from 'prom-client';
import { Repository } from 'typeorm';
import { LOGGER, Metrics } from '../../platform/observability/index.js';
import { LimitHitEntity, type LimitOutcome } from './limit-hit.entity.js';

export type { LimitOutcome } from './limit-hit.entity.js';

export interface LimitHit {
  readonly projectId: number;
  /** '' where it is not known. */
  readonly service: string;
  /** Of the error, for what is refused; else what was folded or dropped, as `LABEL_SETS_FOLDED`. */
  readonly code: string;
  readonly outcome: LimitOutcome;
}

type Counted = LimitHit & { count: number; firstMs: EpochMs; lastMs: EpochMs };

/** What a kill may lose of the counts, and how old an answer of another server may be. */
const WRITE_EVERY_MS = 5_000;

/**
 * Owns limit_hit: what was folded, dropped or refused, for each project and service. Counted in memory and added to the table now and then: a flood of
 * refusals must not become a flood of writes.
 */
@Injectable()
export class LimitHits implements BeforeApplicationShutdown {
  readonly #hits: Counter<'code' | 'outcome'>;
  readonly #timer: NodeJS.Timeout;
  #counted = new Map<string, Counted>();
  #writing: Promise<void> = Promise.resolve();

  constructor(
    @InjectRepository(LimitHitEntity) private readonly table: Repository<LimitHitEntity>,
    @Inject(LOGGER) private readonly logger: Logger,
    { registry }: Metrics,
  ) {
    this.#hits = new Counter({
      name: 'limit_hits_total',
      help: 'What was folded into __other__, dropped or refused, by code; GET /api/v1/limits tells of which service',
      labelNames: ['code', 'outcome'],
      registers: [registry],
    });
    this.#timer = setInterval(() => void this.#write(), WRITE_EVERY_MS).unref();
  }

  add(hit: LimitHit, count = 1): void {
    if (count === 0) return;
    this.#hits.inc({ code: hit.code, outcome: hit.outcome }, count);
    const nowMs = Date.now();
    this.#merge({ ...hit, count, firstMs: nowMs, lastMs: nowMs });
  }

  /** All of a project, by service, then code; those of this process up to now. */
  async list(projectId: number): Promise<LimitHitEntity[]> {
    await this.#write();
    return this.table.find({ where: { projectId }, order: { service: 'ASC', code: 'ASC' } });
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.#write();
  }

  #merge(hit: Counted): void {
    const key = JSON.stringify([hit.projectId, hit.service, hit.code]);
    const known = this.#counted.get(key);
    if (known === undefined) {
      this.#counted.set(key, hit);
      return;
    }
    known.count += hit.count;
    known.firstMs = Math.min(known.firstMs, hit.firstMs);
    known.lastMs = Math.max(known.lastMs, hit.lastMs);
  }

  /** One after the other, each with what was counted until its turn. */
  #write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeCounted());
    return this.#writing;
  }

  async #writeCounted(): Promise<void> {
    // In the order of the key: two servers that write at once would otherwise wait for each other.
    const hits = [...this.#counted.values()].sort(
      (a, b) => a.projectId - b.projectId || compare(a.service, b.service) || compare(a.code, b.code),
    );
    if (hits.length === 0) return;
    this.#counted = new Map();
    try {
      await this.table.query(
        `INSERT INTO limit_hit AS known (project_id, service, code, outcome, count, first_ms, last_ms)
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
         ON CONFLICT (project_id, service, code) DO UPDATE SET
           count = known.count + excluded.count, first_ms = LEAST(known.first_ms, excluded.first_ms), last_ms = GREATEST(known.last_ms, excluded.last_ms)`,
        [
          hits.map((hit) => hit.projectId),
          hits.map((hit) => hit.service),
          hits.map((hit) => hit.code),
          hits.map((hit) => hit.outcome),
          hits.map((hit) => hit.count),
          hits.map((hit) => hit.firstMs),
          hits.map((hit) => hit.lastMs),
        ],
      );
    } catch (error) {
      this.logger.warn(
        { err: error },
        'what limits folded, dropped and refused could not be written down; it is kept for the next time',
      );
      for (const hit of hits) this.#merge(hit);
    }
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
