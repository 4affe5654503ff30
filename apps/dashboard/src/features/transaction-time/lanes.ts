/** Where waits beside each other are drawn. */
export interface Lanes {
  /** Of each wait, by row; -1: all lanes were taken. */
  readonly lane: Int32Array;
  readonly count: number;
  /** Waits without a lane. */
  readonly hidden: number;
}

/** Gives each wait the first lane that is free. @param startMicros - In order */
export function packLanes(startMicros: readonly number[], durationMicros: readonly number[], maxLanes: number): Lanes {
  const free: number[] = [];
  let hidden = 0;
  const lane = Int32Array.from(startMicros, (start, row) => {
    let found = free.findIndex((from) => from <= start);
    if (found < 0 && free.length < maxLanes) found = free.length;
    if (found < 0) hidden += 1;
    else free[found] = start + durationMicros[row]!;
    return found;
  });
  return { lane, count: free.length, hidden };
}
