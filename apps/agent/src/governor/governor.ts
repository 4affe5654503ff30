import type { DurationMs } from '@hearth/profile-model';
import { LADDERS, leversAt, type Levers } from './levers.js';
import { COST_PARTS, noCosts, totalOf, type CostPart, type Costs } from './own-cost.js';

export interface Budget {
  /** Of one core. */
  readonly cpuPct: number;
  /** CPU of the main thread in one flush. */
  readonly pauseMs: DurationMs;
}

/** What the agent took of its host in one period. */
export interface PeriodCost {
  readonly durationMs: DurationMs;
  readonly spent: Costs;
  /** What of it was spent in one piece: the flush. */
  readonly pause: Costs;
}

/** What changes, for the log and for who carries it out. */
export interface Change {
  readonly levers: Levers;
  readonly words: string;
}

/** A flush that the host asks for ends a period early: what is shorter is judged with the next. */
const SHORTEST_JUDGED_MS: DurationMs = 900;
/** Beyond so many budgets, in all of these periods, nothing is lowered step by step. */
const CAP = 3;
/** A flush takes three times as long until V8 has compiled it. */
const COLD_PERIODS = 3;
/** Periods in a row over budget before anything is done. */
const PERIODS_OVER = 2;
/** A step is undone where the cost would then be below this part of the budget. */
const CALM = 0.7;
/** So long it must have been calm; what was switched off is only tried again, because nothing tells what it would cost. */
const CALM_MS: DurationMs = 60_000;
const TRY_AGAIN_MS: DurationMs = 600_000;
/** Each time that a step had to be taken again doubles its wait, up to this. */
const LONGEST_WAIT_MS: DurationMs = 4 * 3_600_000;

/**
 * Keeps the agent within its budget: makes the part that costs most do less, one step at a time, at the cap switches it off; and takes
 * the last step back when there is room again. What has been taken back and was needed again waits longer each time, so it does not flap.
 */
export class Governor {
  readonly #budget: Budget;
  readonly #taken: Record<CostPart, number> = noCosts();
  /** Parts of the steps in force, the last one last. */
  readonly #order: CostPart[] = [];
  /** How often each step was taken, by part and number. */
  readonly #times = new Map<string, number>();
  #unjudged: PeriodCost | undefined;
  #periodsOver = 0;
  /** Of the periods over budget, the one that was least so. */
  #leastOver = Number.POSITIVE_INFINITY;
  #calmMs: DurationMs = 0;
  /** Periods that are not judged: at the start the agent's code is not compiled yet, and one after a change is half of each. */
  #skip = COLD_PERIODS;
  #hasActed = false;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Steps in force. */
  get steps(): number {
    return this.#order.length;
  }

  /** Whether it has ever done anything. */
  get hasActed(): boolean {
    return this.#hasActed;
  }

  get levers(): Levers {
    return leversAt(this.#taken);
  }

  /** @returns What is to change from now on. */
  judge(cost: PeriodCost): Change | undefined {
    const period = this.#unjudged === undefined ? cost : joined(this.#unjudged, cost);
    this.#unjudged = period.durationMs < SHORTEST_JUDGED_MS ? period : undefined;
    if (this.#unjudged !== undefined) return undefined;
    if (this.#skip > 0) {
      this.#skip -= 1;
      return undefined;
    }
    const over = this.#excess(period);
    if (over <= 1) {
      this.#periodsOver = 0;
      this.#leastOver = Number.POSITIVE_INFINITY;
      return this.#relax(period);
    }
    this.#calmMs = 0;
    this.#periodsOver += 1;
    this.#leastOver = Math.min(this.#leastOver, over);
    return this.#periodsOver < PERIODS_OVER ? undefined : this.#lower(period);
  }

  /** Asked of a period that is not judged with the others, because something costs more in it for a while. */
  isTooMuch(period: PeriodCost): boolean {
    return period.durationMs >= SHORTEST_JUDGED_MS && this.#excess(period) > 1;
  }

  /** The cost as a part of the budget: above 1 it is too much. */
  #excess({ durationMs, spent, pause }: PeriodCost): number {
    return Math.max((totalOf(spent) / durationMs) * (100 / this.#budget.cpuPct), totalOf(pause) / this.#budget.pauseMs);
  }

  #lower({ durationMs, spent, pause }: PeriodCost): Change | undefined {
    const isPause = (totalOf(spent) / durationMs) * 100 <= this.#budget.cpuPct;
    const costs = isPause ? pause : spent;
    const [part] = COST_PARTS.filter((one) => costs[one] > 0 && this.#taken[one] < LADDERS[one].length).sort(
      (a, b) => costs[b] - costs[a],
    );
    if (part === undefined) return undefined; // all is off that can be
    const count = this.#leastOver > CAP ? LADDERS[part].length - this.#taken[part] : 1;
    for (let step = 0; step < count; step += 1) {
      const key = `${part} ${this.#taken[part]}`;
      this.#times.set(key, (this.#times.get(key) ?? 0) + 1);
      this.#taken[part] += 1;
      this.#order.push(part);
    }
    return this.#changed(LADDERS[part][this.#taken[part] - 1]!.words);
  }

  #relax(period: PeriodCost): Change | undefined {
    const part = this.#order.at(-1);
    if (part === undefined) return undefined;
    const number = this.#taken[part] - 1;
    const { grows } = LADDERS[part][number]!;
    const withoutIt = grows === undefined ? period : grown(period, part, grows);
    this.#calmMs = this.#excess(withoutIt) < CALM ? this.#calmMs + period.durationMs : 0;
    const times = this.#times.get(`${part} ${number}`) ?? 1;
    const waitMs = (grows === undefined ? TRY_AGAIN_MS : CALM_MS) * 2 ** (times - 1);
    if (this.#calmMs < Math.min(waitMs, LONGEST_WAIT_MS)) return undefined;
    this.#order.pop();
    this.#taken[part] = number;
    return this.#changed(number === 0 ? `${part}: as asked for again` : LADDERS[part][number - 1]!.words);
  }

  #changed(words: string): Change {
    this.#hasActed = true;
    this.#calmMs = 0;
    this.#periodsOver = 0;
    this.#leastOver = Number.POSITIVE_INFINITY;
    this.#skip = 1;
    return { levers: this.levers, words };
  }
}

function joined(a: PeriodCost, b: PeriodCost): PeriodCost {
  const [spent, pause] = [noCosts(), noCosts()];
  for (const part of COST_PARTS) {
    spent[part] = a.spent[part] + b.spent[part];
    pause[part] = Math.max(a.pause[part], b.pause[part]);
  }
  return { durationMs: a.durationMs + b.durationMs, spent, pause };
}

function grown({ durationMs, spent, pause }: PeriodCost, part: CostPart, times: number): PeriodCost {
  return {
    durationMs,
    spent: { ...spent, [part]: spent[part] * times },
    pause: { ...pause, [part]: pause[part] * times },
  };
}
