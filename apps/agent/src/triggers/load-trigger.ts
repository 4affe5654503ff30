import { getHeapStatistics } from 'node:v8';
import type { DurationMs } from '@hearth/profile-model';
import type { RaiseCause } from './rate-raise.js';

/** What is shorter says little of CPU: it is looked at with the next. */
const SHORTEST_MS: DurationMs = 900;

/** Percent; `Infinity`: never. */
export interface LoadThresholds {
  /** Of one core. */
  readonly cpuPct: number;
  /** Of the heap's limit. */
  readonly heapPct: number;
}

/** Looks at the end of each period whether the process uses as much as it takes. */
export class LoadTrigger {
  readonly #thresholds: LoadThresholds;
  #cpu = process.cpuUsage();
  #lookedAt = performance.now();

  constructor(thresholds: LoadThresholds) {
    this.#thresholds = thresholds;
  }

  /** @returns What is used, of what was used since the look before, or is now; `undefined`: not enough. */
  look(): { readonly cause: RaiseCause; readonly why: string } | undefined {
    const { cpuPct, heapPct } = this.#thresholds;
    if (cpuPct === Infinity && heapPct === Infinity) return undefined;
    const now = performance.now();
    const durationMs = now - this.#lookedAt;
    if (durationMs < SHORTEST_MS) return undefined;
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#cpu = process.cpuUsage();
    this.#lookedAt = now;
    const usedPct = (user + system) / 10 / durationMs;
    if (usedPct >= cpuPct) return { cause: 'cpu', why: `the process used ${usedPct.toFixed(0)} % of a core` };
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    const heldPct = (used / limit) * 100;
    if (heldPct >= heapPct) return { cause: 'heap', why: `${heldPct.toFixed(0)} % of the heap is used` };
    return undefined;
  }
}
