import type { DurationMs } from '@hearth/profile-model';

/** What the agent's work is for; each part can be made to do less. */
export type CostPart = 'stacks' | 'heap' | 'waits' | 'transactions';
export const COST_PARTS: readonly CostPart[] = ['stacks', 'heap', 'waits', 'transactions'];
/** Milliseconds of a core by part. */
export type Costs = Record<CostPart, DurationMs>;

/** Of the operations that are timed by sample, one in so many is. Odd: in a host that does one thing after the other each second piece is an end. */
const TIMED_EVERY = 61;
/** A timed piece stands for the others as far as it took at most so many times what the one before took. Interrupted by the machine, or not compiled yet, it takes a thousand times that. */
const MOST_TIMES_LAST = 8;

/** Sums what the agent's own work took since the last look. */
export class OwnCost {
  #spent: Costs = noCosts();

  add(part: CostPart, ms: DurationMs): void {
    this.#spent[part] += Math.max(0, ms);
  }

  /** So far. */
  get totalMs(): DurationMs {
    return totalOf(this.#spent);
  }

  /** Hands out the sums, and begins anew. */
  take(): Costs {
    const spent = this.#spent;
    this.#spent = noCosts();
    return spent;
  }
}

/** Times one in 61 of many short pieces of work, which stands for all of them: what it costs itself must not be what it measures. */
export class SampledCost {
  readonly #cost: OwnCost;
  readonly #part: CostPart;
  #untilTimed = 1;
  #lastMs: DurationMs = 0;

  constructor(cost: OwnCost, part: CostPart) {
    this.#cost = cost;
    this.#part = part;
  }

  /** @returns What `end` takes; 0 where this piece is not timed. */
  begin(): number {
    this.#untilTimed -= 1;
    if (this.#untilTimed > 0) return 0;
    this.#untilTimed = TIMED_EVERY;
    return performance.now();
  }

  end(beganAt: number): void {
    if (beganAt === 0) return;
    const ms = performance.now() - beganAt;
    const othersMs = Math.min(ms, MOST_TIMES_LAST * this.#lastMs);
    this.#cost.add(this.#part, ms + (TIMED_EVERY - 1) * othersMs);
    this.#lastMs = ms;
  }
}

export function noCosts(): Costs {
  return { stacks: 0, heap: 0, waits: 0, transactions: 0 };
}

export function totalOf(costs: Costs): DurationMs {
  return COST_PARTS.reduce((sum, part) => sum + costs[part], 0);
}
