import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { encodeBatch } from '@hearth/wire-format';
import { isAcknowledged } from '../../../test/support/send-batch.js';
import type { TestServer } from '../../../test/support/server.js';
import { FLUSH_MS, fleetFlushes, type FleetPlan, type Flush } from '../fleet/fleet.js';
import { flushToBatch } from '../fleet/flush-tables.js';

const gzipOnThreadPool = promisify(gzip);
/** Beyond that, what is due waits: the server is slower than the load. */
const MAX_IN_FLIGHT = 200;
const RETRY_MS = 1_000;

/** What of one service and profile type was acknowledged. */
export interface SentTotals {
  /** By `service typeId`; flows only, levels are not summed. */
  readonly values: Map<string, number>;
  /** By service. */
  readonly transactions: Map<string, number>;
}

/** A fleet that sends as it lives: every flush when it ends, until it is acknowledged, however long the ones before take. */
export class SteadyLoad {
  readonly sent: SentTotals = { values: new Map(), transactions: new Map() };
  acknowledged = 0;
  /** Answers that were not 202, and requests without an answer; each was sent again. */
  errors = 0;
  #latenciesMs: number[] = [];
  #inFlight = 0;

  /** From the request's start to the answer, of all since the last call. */
  takeLatenciesMs(): number[] {
    const taken = this.#latenciesMs;
    this.#latenciesMs = [];
    return taken;
  }

  /** Resolves when the last flush of the plan is acknowledged. */
  async run(server: TestServer, plan: FleetPlan): Promise<void> {
    const all: Promise<void>[] = [];
    for (const flush of fleetFlushes(plan)) {
      const batch = flushToBatch(flush, flush.population.program);
      const body = await gzipOnThreadPool(encodeBatch(batch), { level: 4 });
      const waitMs = flush.startMs + FLUSH_MS - Date.now();
      if (waitMs > 0) await sleep(waitMs);
      while (this.#inFlight >= MAX_IN_FLIGHT) await sleep(5);
      this.#inFlight += 1;
      all.push(
        this.#sendUntilAcknowledged(server, body).then(() => {
          this.#inFlight -= 1;
          this.#count(flush);
        }),
      );
    }
    await Promise.all(all);
  }

  async #sendUntilAcknowledged(server: TestServer, body: Buffer): Promise<void> {
    for (;;) {
      const start = performance.now();
      const isStored = await isAcknowledged(server, body);
      this.#latenciesMs.push(performance.now() - start);
      if (isStored) return;
      this.errors += 1;
      await sleep(RETRY_MS);
    }
  }

  #count({ population: { program }, profiles, transactions }: Flush): void {
    this.acknowledged += 1;
    for (const { typeId, kind, value } of profiles)
      if (kind === 'flow')
        add(
          this.sent.values,
          `${program} ${typeId}`,
          value.reduce((sum, one) => sum + one, 0),
        );
    add(
      this.sent.transactions,
      program,
      transactions.reduce((sum, { count }) => sum + count, 0),
    );
  }
}

function add(sums: Map<string, number>, key: string, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}
