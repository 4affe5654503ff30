import type { EpochMs } from '@hearth/profile-model';

export const DAY_MS = 86_400_000;
/** How long a count of rows holds, and how long what is beyond a limit stays folded. */
export const COUNT_LIFE_MS = 60_000;
/** Batches are sent within minutes; what comes later is old already when it comes. */
const LATE_MS = 3_600_000;

/** For how long a row that is made now must be remembered: of one with an old time, `countRows` would soon see nothing. */
export function hiddenMs(atMs: EpochMs): number {
  return atMs < Date.now() - LATE_MS ? DAY_MS : 0;
}

interface Counted {
  readonly count: Promise<number>;
  readonly untilMs: EpochMs;
  /** What was let in and is not in the count, by name, and until when it is not. */
  readonly taken: Map<string, EpochMs>;
}

/**
 * How many new things of one kind services may have: what the table says, asked for every minute, and those that were let in since. Servers do not know of each
 * other within the minute.
 */
export class RoomForNew {
  readonly #counted = new Map<number, Counted>();

  /**
   * Whether the service may have one more; takes the room if so. The same name takes it once, however many ask at the same time.
   *
   * @param hiddenMs - For how long `countRows` will not see it. Default: until it is asked again.
   */
  async take(
    serviceId: number,
    name: string,
    { max, countRows, hiddenMs = 0 }: { max: number; countRows: () => Promise<number>; hiddenMs?: number },
  ): Promise<boolean> {
    const { count, taken, untilMs } = this.#of(serviceId, countRows);
    const counted = await count;
    if (taken.has(name)) return true;
    if (counted + taken.size >= max) return false;
    taken.set(name, Math.max(untilMs, Date.now() + hiddenMs));
    return true;
  }

  forget(): void {
    this.#counted.clear();
  }

  #of(serviceId: number, countRows: () => Promise<number>): Counted {
    const nowMs = Date.now();
    const before = this.#counted.get(serviceId);
    if (before !== undefined && before.untilMs >= nowMs) return before;
    const taken = new Map([...(before?.taken ?? [])].filter(([, untilMs]) => untilMs > nowMs));
    const counted = { count: countRows(), untilMs: nowMs + COUNT_LIFE_MS, taken };
    this.#counted.set(serviceId, counted);
    counted.count.catch(() => this.#counted.delete(serviceId));
    return counted;
  }
}
