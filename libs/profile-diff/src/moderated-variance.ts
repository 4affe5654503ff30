import { digamma, inverseTrigamma, median, medianOfChiSquareOverDf, trigamma } from './distributions.js';
import type { SideRate } from './side-rate.js';

/** Both sides of one function; see `SideRate`. */
export interface RatesOfBoth {
  readonly baseline: SideRate;
  readonly candidate: SideRate;
}

/** How much rates of one family of functions vary, and how alike the functions are in that. */
export interface VarianceModel {
  /** Degrees of freedom of the data: replicates of both sides less two. */
  readonly df: number;
  /** Degrees of freedom that the other functions add to each; `Infinity`: all vary alike. */
  readonly priorDf: number;
  /** Variance between replicates, of the logarithm of a rate, that counting does not explain. */
  readonly betweenVariance: number;
  /** What the trend has to be multiplied by to be the variance of a typical function; near 1. */
  readonly priorScale: number;
  /** No test may claim more than these: what all functions of the family hold together. */
  readonly maxDf: number;
}

/** One function's standard error, after the others had their say. */
export interface ModeratedVariance {
  /** Of ln(candidate rate / baseline rate). */
  readonly standardError: number;
  readonly df: number;
  /** Posterior variance as a multiple of the trend. */
  readonly scale: number;
  /** The part of `standardError`^2 that more time would reduce. */
  readonly countingVariance: number;
}

/** A between-process variation below 0.3 % is not to be had from any machine. */
const MIN_BETWEEN_VARIANCE = 1e-5;
/** From this many degrees of freedom a function's own variance is good enough, and how functions move together is not asked. */
const PLENTY_OF_DF = 60;
/** Functions looked at to see how they move together. */
const MAX_CORRELATED_FUNCTIONS = 2000;

/**
 * The variances of all functions as one model: counting variance + `betweenVariance` is the trend, and multiples of it are
 * distributed as scaled inverse chi-square with `priorDf` degrees of freedom (Smyth 2004; the trend of Law et al. 2014).
 *
 * @returns The model, and what it makes of each function; `undefined` where no side has two replicates with this work.
 */
export function moderateFamily(family: readonly RatesOfBoth[]): {
  model: VarianceModel;
  moderated: (ModeratedVariance | undefined)[];
} {
  const dfs = family.map(degreesOfFreedom);
  // What is on one side only is judged by the model, but does not shape it.
  const shaping = family.flatMap((rates, row) =>
    rates.baseline.rate > 0 && rates.candidate.rate > 0 && dfs[row]! > 0 ? [row] : [],
  );
  if (shaping.length === 0) {
    return {
      model: { df: 0, priorDf: 0, betweenVariance: MIN_BETWEEN_VARIANCE, priorScale: 1, maxDf: 0 },
      moderated: family.map(() => undefined),
    };
  }
  // The median, so that a few functions which vary wildly do not make the rest look quiet or loud.
  const between = median(shaping.map((row) => varianceBeyondCounting(family[row]!, dfs[row]!)));
  const betweenVariance = Math.max(between, MIN_BETWEEN_VARIANCE);
  const scales = family.map((rates) => scaledVariance(rates, betweenVariance));
  const shapingDfs = shaping.map((row) => dfs[row]!);
  const df = median(shapingDfs);
  const prior = fitPrior(
    shaping.map((row) => scales[row]!),
    shapingDfs,
  );
  const independent = independentFunctions(
    shaping.map((row) => family[row]!),
    betweenVariance,
    df,
  );
  const model = { df, betweenVariance, ...prior, maxDf: df * independent };
  return { model, moderated: family.map((rates, row) => moderate(rates, model, dfs[row]!, scales[row]!)) };
}

function moderate(rates: RatesOfBoth, model: VarianceModel, df: number, ownScale: number): ModeratedVariance | undefined {
  if (df < 1) return undefined;
  const { priorDf, priorScale } = model;
  const scale = priorDf === Infinity ? priorScale : (priorDf * priorScale + df * ownScale) / (priorDf + df);
  const counting = countingVariance(rates.baseline) + countingVariance(rates.candidate);
  const between = model.betweenVariance * (sumOfSquares(rates.baseline.share) + sumOfSquares(rates.candidate.share));
  // Functions that run for many samples at a time are counted more regularly than by chance, and where most do, the scale says
  // so of all. A short one among them is still counted by chance (record 0029).
  const variance = Math.max(counting, scale * (between + counting));
  return {
    standardError: Math.sqrt(variance),
    df: Math.max(1, Math.min(df + priorDf, model.maxDf)),
    scale,
    // What lasts is the processes' part of it, however regularly counting goes.
    countingVariance: variance - scale * between,
  };
}

/** Replicates that did this work, less one, on each side where something was seen. */
export function degreesOfFreedom({ baseline, candidate }: RatesOfBoth): number {
  return ownDegrees(baseline) + ownDegrees(candidate);
}

function ownDegrees({ rate, share }: SideRate): number {
  if (rate === 0) return 0;
  let replicates = 0;
  for (const one of share) if (one > 0) replicates += 1;
  return Math.max(0, replicates - 1);
}

/**
 * Scaled inverse chi-square prior of variances (Smyth 2004, section 6.2).
 *
 * @param variances - Each a multiple of its trend.
 * @param dfs - Degrees of freedom of each, 1 or more.
 */
export function fitPrior(variances: readonly number[], dfs: readonly number[]): { priorDf: number; priorScale: number } {
  if (variances.length < 2) return { priorDf: 0, priorScale: 1 };
  // A variance of zero is an accident of few counts; its logarithm would swamp all others (limma's floor, too).
  const least = Math.max(1e-5 * median(variances), Number.MIN_VALUE);
  const e = variances.map(
    (variance, row) => Math.log(Math.max(variance, least)) - digamma(dfs[row]! / 2) + Math.log(dfs[row]! / 2),
  );
  const mean = e.reduce((sum, one) => sum + one, 0) / e.length;
  const spread = e.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (e.length - 1);
  const byChance = dfs.reduce((sum, df) => sum + trigamma(df / 2), 0) / dfs.length;
  if (spread <= byChance) return { priorDf: Infinity, priorScale: Math.exp(mean) };
  const priorDf = 2 * inverseTrigamma(spread - byChance);
  return { priorDf, priorScale: Math.exp(mean + digamma(priorDf / 2) - Math.log(priorDf / 2)) };
}

/**
 * How much a replicate varies, as its own deviations say, less what counting explains. Replicates weigh by their work. Half
 * of all chi-square variances are below `medianOfChiSquareOverDf`, hence the median of these is the typical one.
 */
function varianceBeyondCounting(rates: RatesOfBoth, df: number): number {
  let squares = 0;
  let counting = 0;
  for (const side of [rates.baseline, rates.candidate]) {
    const ownDf = ownDegrees(side);
    const { share, deviation, countingPerSample, expectedSamples } = side;
    let weighted = 0;
    let weightedCounting = 0;
    for (let replicate = 0; replicate < share.length; replicate += 1) {
      if (share[replicate] === 0) continue;
      weighted += share[replicate]! * deviation[replicate]! ** 2;
      weightedCounting += share[replicate]! * countingPerSample[replicate]!;
    }
    squares += weighted * (ownDf + 1); // (df + 1) / df corrects for the mean; df weighs the sides
    counting += (weightedCounting / expectedSamples) * ownDf;
  }
  return squares / df / medianOfChiSquareOverDf(df) - counting / df;
}

/**
 * The function's variance as a multiple of the trend: squared deviations over what the trend expects of each replicate,
 * so that a replicate with little work weighs little. With shares a and variances v, the squared deviation from the common
 * rate is v (1 - 2a) + sum of a^2 v on average; the divisor follows, and is replicates - 1 where all are alike.
 */
function scaledVariance(rates: RatesOfBoth, betweenVariance: number): number {
  let squares = 0;
  let divisor = 0;
  for (const side of [rates.baseline, rates.candidate]) {
    if (ownDegrees(side) === 0) continue;
    const { share, deviation, countingPerSample, expectedSamples } = side;
    const ofMean = betweenVariance * sumOfSquares(share) + countingVariance(side);
    for (let replicate = 0; replicate < share.length; replicate += 1) {
      if (share[replicate] === 0) continue;
      const variance = betweenVariance + countingPerSample[replicate]! / expectedSamples;
      squares += deviation[replicate]! ** 2 / variance;
      divisor += 1 - 2 * share[replicate]! + ofMean / variance;
    }
  }
  return squares / divisor;
}

/** What counting adds to the variance of the logarithm of a side's rate. */
function countingVariance({ share, countingPerSample, expectedSamples }: SideRate): number {
  let sum = 0;
  for (let replicate = 0; replicate < share.length; replicate += 1) {
    if (share[replicate]! > 0) sum += share[replicate]! ** 2 * countingPerSample[replicate]!;
  }
  return expectedSamples > 0 ? sum / expectedSamples : 0;
}

function sumOfSquares(share: Float64Array): number {
  let sum = 0;
  for (const one of share) sum += one * one;
  return sum;
}

/**
 * How many independent functions the family is worth. If a whole process is slow, all its functions are: their variances
 * agree, yet hold no more information than one of them, and a prior taken from them would promise degrees of freedom that
 * are not there. With the mean squared correlation c of n functions it is n / (1 + (n - 1) c).
 */
function independentFunctions(family: readonly RatesOfBoth[], betweenVariance: number, df: number): number {
  const count = family.length;
  if (df >= PLENTY_OF_DF) return count;
  if (count < 2 || df <= 1) return 1;
  const stride = Math.ceil(count / MAX_CORRELATED_FUNCTIONS);
  const width = family[0]!.baseline.share.length + family[0]!.candidate.share.length;
  const products = new Float64Array(width * width);
  const unit = new Float64Array(width);
  let functions = 0;
  for (let row = 0; row < count; row += stride) {
    if (!writeStandardised(family[row]!, betweenVariance, unit)) continue;
    functions += 1;
    for (let i = 0; i < width; i += 1) {
      for (let j = 0; j < width; j += 1) products[i * width + j]! += unit[i]! * unit[j]!;
    }
  }
  if (functions < 2) return 1;
  // Sum over all pairs of functions of their squared correlation, without going through the pairs.
  const squares = sumOfSquares(products);
  const mean = (squares - functions) / (functions * (functions - 1));
  const correlation = Math.min(1, Math.max(0, (mean - 1 / df) / (1 - 1 / df))); // by chance it is 1 / df
  return count / (1 + (count - 1) * correlation);
}

/**
 * Deviations of both sides in units of what is expected of each replicate, scaled to length 1, into `unit`.
 *
 * @returns Whether there are any.
 */
function writeStandardised({ baseline, candidate }: RatesOfBoth, betweenVariance: number, unit: Float64Array): boolean {
  let at = 0;
  for (const { share, deviation, countingPerSample, expectedSamples } of [baseline, candidate]) {
    for (let replicate = 0; replicate < share.length; replicate += 1) {
      unit[at] =
        share[replicate] === 0
          ? 0
          : deviation[replicate]! / Math.sqrt(betweenVariance + countingPerSample[replicate]! / expectedSamples);
      at += 1;
    }
  }
  const length = Math.sqrt(sumOfSquares(unit));
  if (length === 0) return false;
  for (at = 0; at < unit.length; at += 1) unit[at]! /= length;
  return true;
}
