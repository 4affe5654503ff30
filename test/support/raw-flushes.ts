/** Random profiles as plainly as can be, and what is to be answered about them: what every answer of the store is checked against. */
export const MINUTES = 4;
/** A whole minute. Two of them are in November, two in December: their stacks are in two dictionaries. */
export const START = Date.UTC(2025, 11, 1) - 2 * 60_000;
export const END = START + MINUTES * 60_000;
export const SERVICE = 1;

/** Seeded numbers in [0, 1) (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One raw sample, as plainly as can be: what every answer is checked against. */
export interface RawSample {
  readonly path: string;
  readonly labelSetId: number;
  readonly value: number;
  readonly count: number;
}
export interface RawFlush {
  readonly processId: number;
  readonly revisionId: number;
  readonly environmentId: number;
  readonly profileTypeId: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly sequence: number;
  readonly samples: readonly RawSample[];
}

function randomSamples(random: () => number): RawSample[] {
  const below = (limit: number) => Math.floor(random() * limit);
  return Array.from({ length: below(12) }, () => ({
    path: random() < 0.05 ? '' : `main>a${below(3)}>b${below(4)}>c${below(30)}`,
    labelSetId: 1 + below(5),
    value: below(3) === 0 ? below(1e12) : 10_101 + below(20),
    count: 1 + below(2),
  }));
}

const DAY_MS = 86_400_000;
/** Three days and a bit, none of its ends at the edge of an hour. */
export const DAYS = { fromMs: START, untilMs: START + 3 * DAY_MS + 1_000_000 } as const;

/** Flushes of some busy hours of `DAYS`, a few minutes in each, so that windows of every level hold several. */
export function flushesOfDays(random: () => number, firstSequence = 0): RawFlush[] {
  const below = (limit: number) => Math.floor(random() * limit);
  const flushes: RawFlush[] = [];
  for (let hour = 0; hour < 12; hour += 1) {
    const hourMs = DAYS.fromMs + below(DAYS.untilMs - DAYS.fromMs - 3_600_000);
    for (let flush = 0; flush < 10; flush += 1) {
      const processId = 1 + below(4);
      const startMs = hourMs + below(4) * 900_000 + below(3) * 20_000 + below(1000);
      if (flushes.some((one) => one.processId === processId && one.startMs === startMs)) continue;
      flushes.push({
        processId,
        revisionId: processId < 3 ? 1 : 2,
        environmentId: processId === 4 ? 2 : 1,
        profileTypeId: 1 + below(2),
        startMs,
        durationMs: 10_000 + below(50),
        sequence: firstSequence + flushes.length,
        samples: randomSamples(random),
      });
    }
  }
  return flushes;
}

export function randomFlushes(random: () => number, firstSequence = 0): RawFlush[] {
  const flushes: RawFlush[] = [];
  const below = (limit: number) => Math.floor(random() * limit);
  for (let processId = 1; processId <= 4; processId += 1) {
    for (
      let startMs = START + below(10_000), sequence = firstSequence;
      startMs < END;
      startMs += 10_000 + below(50), sequence += 1
    ) {
      if (random() < 0.4) continue;
      const samples = randomSamples(random);
      flushes.push({
        processId,
        revisionId: processId < 3 ? 1 : 2,
        environmentId: processId === 4 ? 2 : 1,
        profileTypeId: 1 + below(2),
        startMs,
        durationMs: 10_000 + below(50),
        sequence,
        samples,
      });
    }
  }
  return flushes;
}
