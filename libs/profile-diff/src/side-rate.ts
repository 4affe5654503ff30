/** What something cost on one side, and how its replicates differ from each other. Columns by replicate. */
export interface SideRate {
  /** Value per unit of work: sum of values / sum of work. */
  readonly rate: number;
  readonly samples: number;
  /** Samples that this side would have if both sides cost the same: independent of the outcome. */
  readonly expectedSamples: number;
  /** Part of the rate that each replicate contributes by the work it did, summing to 1; 0: it did none of this work. */
  readonly share: Float64Array;
  /** Relative deviation of the replicate's own rate from `rate`; 0 where `share` is. */
  readonly deviation: Float64Array;
  /** Relative variance that the replicate's rate has from counting alone, times `expectedSamples`; infinite where `share` is 0. */
  readonly countingPerSample: Float64Array;
}

/** One side's figures that are not tested. */
export interface SideCosts {
  /** Self value per unit of the whole, by node. */
  readonly nodeSelf: Float64Array;
  /** Value of samples without frames, per unit of the whole. */
  readonly rootSelf: number;
  /** Self value per unit of the whole, by function: what the exposure gate leaves out is in here too. */
  readonly functionSelf: Float64Array;
  /** Value per unit of the whole spent idle; in none of the other figures. */
  readonly idle: number;
  /** Value by kind of work, not divided by anything, and without idle time. */
  readonly kindValue: Float64Array;
}
