import type { DurationMs, EpochMs } from '@hearth/profile-model';

/** How long processes were profiled. Several profiles of one flush (of several threads, or of a client that sends in parts) cover its time once. */
export class ObservedTime {
  readonly #flushes = new Map<string, { readonly processId: number; readonly durationMs: DurationMs }>();
  readonly #sums = new Map<number, DurationMs>();

  /** @param startMs From any origin, as long as it is the same for all. */
  addFlush(processId: number, startMs: EpochMs, durationMs: DurationMs): void {
    const key = `${processId}.${startMs}`;
    const known = this.#flushes.get(key);
    if (known === undefined || known.durationMs < durationMs) this.#flushes.set(key, { processId, durationMs });
  }

  /** What flushes sum up to already. */
  addSum(processId: number, durationMs: DurationMs): void {
    this.#sums.set(processId, (this.#sums.get(processId) ?? 0) + durationMs);
  }

  sum(): DurationMs {
    let sum = 0;
    for (const { durationMs } of this.#flushes.values()) sum += durationMs;
    for (const durationMs of this.#sums.values()) sum += durationMs;
    return sum;
  }

  byProcess(): Map<number, DurationMs> {
    const sums = new Map<number, DurationMs>();
    const add = (processId: number, durationMs: DurationMs) => sums.set(processId, (sums.get(processId) ?? 0) + durationMs);
    for (const { processId, durationMs } of this.#flushes.values()) add(processId, durationMs);
    for (const [processId, durationMs] of this.#sums) add(processId, durationMs);
    return sums;
  }
}
