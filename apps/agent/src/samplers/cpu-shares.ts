/** The samples of one period in the order of time. */
export interface TimedSamples {
  readonly length: number;
  /** CPU of the thread since the sample before, in nanoseconds; NaN where the sample does not tell and the next one holds it. */
  readonly cpuNanos: Float64Array;
  /** 1 where the thread had nothing to do. */
  readonly isIdle: Uint8Array;
}

/**
 * How much of the thread's CPU each sample stands for. The total is exact (`availableNanos`); only its division is estimated.
 *
 * Each busy sample has two sides. Towards another busy sample the counter tells what the thread used between the two: half of it
 * goes to each. Towards idle time nothing tells: the counter there holds the ends of this burst and whole bursts that no sample
 * saw. What is left of the total is therefore divided equally among all sides of that kind.
 *
 *     time       idle  work  work  work  idle  work  idle
 *     cpu ms     1     4     10    2     7     3     1       total 28, known 10 + 2, left 16 for four sides
 *     share      0     4+5   5+1   1+4   0     4+4   0
 *
 * Without preemption a side comes to half an interval, so that every sample stands for one, as samples of time do. Where the thread
 * waits for a core, samples lie closer in CPU than in time, and both kinds of side shrink alike.
 *
 * @param availableNanos - CPU to divide.
 * @returns Nanoseconds, length `length`; all 0 if no sample was busy: then nothing is known, and the caller keeps the CPU for later.
 */
export function cpuShares({ length, cpuNanos, isIdle }: TimedSamples, availableNanos: number): Float64Array {
  const shares = new Float64Array(length);
  const openSides = new Uint8Array(length);
  let known = 0;
  let allOpenSides = 0;
  for (let from = 0; from < length;) {
    if (isIdle[from]) {
      from += 1;
      continue;
    }
    let until = from + 1; // the busy samples [from, until) are one burst
    while (until < length && !isIdle[until]) until += 1;
    openSides[from]! += 1;
    openSides[until - 1]! += 1;
    allOpenSides += 2;
    for (let left = from; left < until - 1;) {
      // Samples that do not tell: the next one that does holds the CPU of all the gaps before it.
      let right = left + 1;
      while (right < until && Number.isNaN(cpuNanos[right]!)) right += 1;
      const isTold = right < until;
      const gaps = Math.min(right, until - 1) - left;
      // A first sample that does not tell leaves the head of the burst in the same counter: that part is not known.
      const intervals = gaps + (left === from && Number.isNaN(cpuNanos[from]!) ? 1 : 0);
      const half = isTold ? cpuNanos[right]! / intervals / 2 : 0;
      for (let gap = left; gap < left + gaps; gap += 1) {
        shares[gap]! += half;
        shares[gap + 1]! += half;
        if (isTold) continue;
        openSides[gap]! += 1;
        openSides[gap + 1]! += 1;
        allOpenSides += 2;
      }
      known += 2 * half * gaps;
      left += gaps;
    }
    from = until;
  }
  if (allOpenSides === 0) return shares;
  // The counters of a period can exceed what is to be divided only by rounding; nothing is made up then either.
  const scale = known > availableNanos ? availableNanos / known : 1;
  const openSide = Math.max(0, availableNanos - known) / allOpenSides;
  for (let at = 0; at < length; at += 1) shares[at] = shares[at]! * scale + openSides[at]! * openSide;
  return shares;
}
