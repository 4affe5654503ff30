/** A seeded source of randomness: equal seeds give equal fleets on every machine. */
export interface Random {
  /** 0 <= u < 1. */
  uniform(): number;
  /** Mean 0, variance 1. */
  normal(): number;
  /** Whole, with this mean and variance. */
  poisson(mean: number): number;
  /** Mean 0, variance 1, five degrees of freedom: one draw in a hundred is beyond three. */
  heavyTailed(): number;
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  // Mulberry32 (Tommy Ettinger, public domain): 32 bits of state are plenty for a test.
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const poisson = (mean: number): number => {
    // The normal distribution is as good from fifty on; below, waiting times are counted.
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
    let events = 0;
    for (let product = uniform(); product > Math.exp(-mean); product *= uniform()) events += 1;
    return events;
  };
  const heavyTailed = (): number => {
    const chiSquare = Array.from({ length: 5 }, normal).reduce((sum, one) => sum + one * one, 0);
    return normal() / Math.sqrt(chiSquare / 5) / Math.sqrt(5 / 3);
  };
  return { uniform, normal, poisson, heavyTailed };
}
