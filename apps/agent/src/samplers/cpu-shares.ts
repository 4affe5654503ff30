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
 * The counter of a sample tells what the thread used since the sample before. Between two busy samples that is the work of
 * the two. After an idle one it is not: it holds the ends of bursts that no sample saw, and most CPU of a half idle service is
 * seen by idle samples only. So a busy sample after an idle one stands for one whole interval, as samples of time do, and
 * all shares are scaled to the CPU that was really used, idle samples' included. Without this the cost per transaction would
 * change with the load.
 *
 *     time       idle  work  work  work  idle
 *     cpu ms     1     4     10    2     7        total 24
 *     share      0     10    10    2     0        (interval 10), then times 24/22
 *
 * @param availableNanos - CPU to divide.
 * @returns Nanoseconds, length `length`; all 0 if no sample was busy: then nothing is known, and the caller keeps the CPU for later.
 */
export function cpuShares(samples: TimedSamples, intervalNanos: number, availableNanos: number): Float64Array {
  const { length, cpuNanos, isIdle } = samples;
  const shares = new Float64Array(length);
  let sum = 0;
  let wasBusy = false;
  for (let at = 0; at < length;) {
    if (isIdle[at]) {
      wasBusy = false;
      at += 1;
      continue;
    }
    // Samples that do not tell share what the next one holds for all of them.
    let tells = at;
    while (wasBusy && tells < length && !isIdle[tells] && Number.isNaN(cpuNanos[tells]!)) tells += 1;
    const isTold = wasBusy && tells < length && !isIdle[tells];
    const share = isTold ? cpuNanos[tells]! / (tells - at + 1) : intervalNanos;
    for (const end = Math.max(at + 1, isTold ? tells + 1 : tells); at < end; at += 1) {
      shares[at] = share;
      sum += share;
    }
    wasBusy = true;
  }
  if (sum === 0) return shares;
  const scale = availableNanos / sum;
  for (let at = 0; at < length; at += 1) shares[at]! *= scale;
  return shares;
}
