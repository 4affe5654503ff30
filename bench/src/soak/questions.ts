import { performance } from 'node:perf_hooks';
import { askJson } from '../../../test/support/ask.js';
import type { TestServer } from '../../../test/support/server.js';

const MINUTE_MS = 60_000;

/** What people look at while a fleet sends: one question after the other. */
export class Questions {
  asked = 0;
  errors = 0;
  readonly #api: TestServer;
  readonly #services: readonly string[];
  readonly #startMs: number;
  #timesMs: number[] = [];

  constructor(api: TestServer, services: readonly string[], startMs: number) {
    this.#api = api;
    this.#services = services;
    this.#startMs = startMs;
  }

  async askNext(): Promise<void> {
    const nowMs = Date.now();
    const service = this.#services[this.asked % this.#services.length]!;
    const from = Math.max(this.#startMs, nowMs - 15 * MINUTE_MS);
    const range = `service=${service}&from=${from}&until=${nowMs}`;
    const paths = [
      `flame-graph?${range}`,
      `functions?${range}`,
      `timeline?${range}`,
      `transactions?${range}`,
      `flame-graph?${range}&type=wall`,
    ];
    const path = paths[Math.floor(this.asked / this.#services.length) % paths.length]!;
    this.asked += 1;
    const start = performance.now();
    try {
      await askJson(this.#api, `/api/v1/${path}`);
      this.#timesMs.push(performance.now() - start);
    } catch {
      if (nowMs - this.#startMs > MINUTE_MS) this.errors += 1; // before that a service may not be known yet
    }
  }

  takeTimesMs(): number[] {
    const taken = this.#timesMs;
    this.#timesMs = [];
    return taken.length === 0 ? [Number.NaN] : taken;
  }
}
