import type { DurationMs, EpochMs, Micros } from '@hearth/profile-model';

const HOUR_MS: DurationMs = 3_600_000;
/** Of one name, revision and environment in one hour: they are there to be looked at one by one. */
export const SLOWEST_PER_HOUR = 5;
/** Groups of which is known how slow one has to be, about; then all are learnt again. */
const MAX_FLOORS = 50_000;

/** Of these, an hour keeps the slowest. */
export interface SlowestGroup {
  readonly serviceId: number;
  /** See `nameHash`. */
  readonly nameHash: string;
  readonly revisionId: number;
  readonly environmentId: number;
  readonly hourMs: EpochMs;
}

/** A group that is full. */
export interface Floor {
  readonly group: SlowestGroup;
  /** Of the fastest that is kept: what is not slower has no place. */
  readonly durationMicros: Micros;
}

export function hourOf(windowStartMs: EpochMs): EpochMs {
  return Math.floor(windowStartMs / HOUR_MS) * HOUR_MS;
}

export function groupText({ serviceId, nameHash, revisionId, environmentId, hourMs }: SlowestGroup): string {
  return `${serviceId}.${revisionId}.${environmentId}.${hourMs}.${nameHash}`;
}

/**
 * How slow a transaction has to be to be kept, as far as this process knows: most that are sent are not, once an hour has begun, and then cost nothing
 * but this look. Floors only rise, except where exemplars are deleted: until the hour ends, faster ones are then missing.
 */
export class Floors {
  readonly #micros = new Map<string, Micros>();

  isAbove(group: SlowestGroup, durationMicros: Micros): boolean {
    return durationMicros > (this.#micros.get(groupText(group)) ?? -1);
  }

  /** What was found in a database transaction, once it has committed. */
  learn(floors: readonly Floor[]): void {
    if (this.#micros.size > MAX_FLOORS) this.#micros.clear();
    for (const { group, durationMicros } of floors) this.#micros.set(groupText(group), durationMicros);
  }

  forget(): void {
    this.#micros.clear();
  }
}
