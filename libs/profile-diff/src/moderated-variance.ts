import { digamma, inverseTrigamma, median, medianOfChiSquareOverDf, trigamma } from './distributions.js';
import type { SideRate } from './rates.js';

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
 */
export function fitVarianceModel(family: readonly RatesOfBoth[]): VarianceModel {
  const seen = family.filter((rates) => rates.baseline.rate > 0 && rates.candidate.rate > 0 && degreesOfFreedom(rates) > 0);
  if (seen.length === 0) return { df: 0, priorDf: 0, betweenVariance: MIN_BETWEEN_VARIANCE, priorScale: 1, maxDf: 0 };
  // The median, so that a few functions which vary wildly do not make the rest look quiet or loud.
  const between = median(seen.map((rates) => rawVariance(rates) / medianOfChiSquareOverDf(degreesOfFreedom(rates)) - countingVariance(rates)));
  const betweenVariance = Math.max(between, MIN_BETWEEN_VARIANCE);
  const scales = seen.map((rates) => scaledVariance(rates, betweenVariance));
  const dfs = seen.map(degreesOfFreedom);
  const df = median(dfs);
  return { df, betweenVariance, ...fitPrior(scales, dfs), maxDf: df * independentFunctions(seen, betweenVariance, df) };
}

/** @returns `undefined` where no side has two replicates with this work: nothing can be said. */
export function moderate(rates: RatesOfBoth, model: VarianceModel): ModeratedVariance | undefined {
  const df = degreesOfFreedom(rates);
  if (df < 1 || model.maxDf === 0) return undefined;
  const own = scaledVariance(rates, model.betweenVariance);
  const scale = model.priorDf === Infinity ? model.priorScale : (model.priorDf * model.priorScale + df * own) / (model.priorDf + df);
  const baseline = trendVariance(rates.baseline, model.betweenVariance);
  const candidate = trendVariance(rates.candidate, model.betweenVariance);
  return {
    standardError: Math.sqrt(scale * (baseline + candidate)),
    df: Math.max(1, Math.min(df + model.priorDf, model.maxDf)),
    scale,
    countingVariance: scale * (baseline + candidate - trendVariance(rates.baseline, model.betweenVariance, 'between only') - trendVariance(rates.candidate, model.betweenVariance, 'between only')),
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
  const e = variances.map((variance, row) => Math.log(Math.max(variance, least)) - digamma(dfs[row]! / 2) + Math.log(dfs[row]! / 2));
  const mean = e.reduce((sum, one) => sum + one, 0) / e.length;
  const spread = e.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (e.length - 1);
  const byChance = dfs.reduce((sum, df) => sum + trigamma(df / 2), 0) / dfs.length;
  if (spread <= byChance) return { priorDf: Infinity, priorScale: Math.exp(mean) };
  const priorDf = 2 * inverseTrigamma(spread - byChance);
  return { priorDf, priorScale: Math.exp(mean + digamma(priorDf / 2) - Math.log(priorDf / 2)) };
}

/** Mean squared deviation, replicates weighted by their work, as an estimate of one replicate's variance. */
function rawVariance(rates: RatesOfBoth): number {
  let squares = 0;
  for (const side of [rates.baseline, rates.candidate]) {
    const df = ownDegrees(side);
    if (df === 0) continue;
    let weighted = 0;
    side.share.forEach((share, replicate) => (weighted += share * side.deviation[replicate]! ** 2));
    squares += weighted * (df + 1); // (df + 1) / df corrects for the mean; df weighs the sides
  }
  return squares / degreesOfFreedom(rates);
}

/** Counting variance of a typical replicate, weighted alike. */
function countingVariance(rates: RatesOfBoth): number {
  let sum = 0;
  for (const side of [rates.baseline, rates.candidate]) {
    let weighted = 0;
    side.share.forEach((share, replicate) => {
      if (share > 0) weighted += share * side.counting[replicate]!;
    });
    sum += weighted * ownDegrees(side);
  }
  return sum / degreesOfFreedom(rates);
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
    const ofMean = trendVariance(side, betweenVariance);
    side.share.forEach((share, replicate) => {
      if (share === 0) return;
      const variance = betweenVariance + side.counting[replicate]!;
      squares += side.deviation[replicate]! ** 2 / variance;
      divisor += 1 - 2 * share + ofMean / variance;
    });
  }
  return squares / divisor;
}

/** Variance of the logarithm of a side's rate if the trend is right. */
function trendVariance({ share, counting }: SideRate, betweenVariance: number, parts: 'all' | 'between only' = 'all'): number {
  let sum = 0;
  share.forEach((one, replicate) => {
    if (one > 0) sum += one * one * (betweenVariance + (parts === 'all' ? counting[replicate]! : 0));
  });
  return sum;
}

/**
 * How many independent functions the family is worth. If a whole process is slow, all its functions are: their variances
 * agree, yet hold no more information than one of them, and a prior taken from them would promise degrees of freedom that
 * are not there. With the mean squared correlation c of n functions it is n / (1 + (n - 1) c).
 */
function independentFunctions(family: readonly RatesOfBoth[], betweenVariance: number, df: number): number {
  const count = family.length;
  if (count < 2 || df <= 1 || df >= PLENTY_OF_DF) return df <= 1 ? 1 : count;
  const stride = Math.ceil(count / MAX_CORRELATED_FUNCTIONS);
  const width = family[0]!.baseline.share.length + family[0]!.candidate.share.length;
  const products = new Float64Array(width * width);
  let functions = 0;
  for (let row = 0; row < count; row += stride) {
    const unit = standardised(family[row]!, betweenVariance);
    if (unit === undefined) continue;
    functions += 1;
    unit.forEach((a, i) => unit.forEach((b, j) => (products[i * width + j]! += a * b)));
  }
  if (functions < 2) return count;
  // Sum over all pairs of functions of their squared correlation, without going through the pairs.
  const squares = products.reduce((sum, product) => sum + product * product, 0);
  const mean = (squares - functions) / (functions * (functions - 1));
  const correlation = Math.min(1, Math.max(0, (mean - 1 / df) / (1 - 1 / df))); // by chance it is 1 / df
  return count / (1 + (count - 1) * correlation);
}

/** Deviations of both sides in units of what is expected of each replicate, scaled to length 1. */
function standardised({ baseline, candidate }: RatesOfBoth, betweenVariance: number): Float64Array | undefined {
  const z = Float64Array.from([baseline, candidate].flatMap((side) => [...side.deviation].map((one, at) => (side.share[at]! > 0 ? one / Math.sqrt(betweenVariance + side.counting[at]!) : 0))));
  const length = Math.sqrt(z.reduce((sum, one) => sum + one * one, 0));
  return length > 0 ? z.map((one) => one / length) : undefined;
}
