import { pOfT } from './distributions.js';
import { degreesOfFreedom, fitVarianceModel, moderate } from './moderated-variance.js';
import type { VarianceModel } from './moderated-variance.js';
import { falseDiscoveryRates } from './multiplicity.js';
import { presenceP } from './one-sided-presence.js';
import { WHOLE } from './rates.js';
import type { RatePair } from './rates.js';

/**
 * Sets of hypotheses within which false discoveries are counted. Each question is a family of its own: a function's own
 * cost and its cost with callees, in the whole service and within one transaction. The root stands among the inclusive ones.
 */
export const FAMILIES = ['self', 'inclusive', 'self by transaction', 'inclusive by transaction'] as const;
export type Family = (typeof FAMILIES)[number];

/** One pair of rates and what the test says of it. */
export interface Hypothesis extends RatePair {
  readonly family: Family;
  /** `undefined` where nothing could be tested. */
  readonly test: Test | undefined;
  /** After Benjamini-Hochberg within the family; `undefined` as `test`. */
  readonly q: number | undefined;
}

export interface Test {
  readonly p: number;
  readonly df: number;
  /** ln(candidate / baseline) and its standard error; `undefined` if one side is zero, which the exact test judges. */
  readonly ratio: { readonly log: number; readonly standardError: number; readonly countingVariance: number } | undefined;
}

export interface TestedFamily {
  readonly name: Family;
  readonly model: VarianceModel;
  readonly hypotheses: readonly Hypothesis[];
  /** How many of them have a test. */
  readonly tested: number;
}

/**
 * @param assumedProcessCv - Coefficient of variation between processes that the replicates cannot show; 0 where they are processes.
 */
export function testFamilies(pairs: readonly RatePair[], assumedProcessCv: number, processes: { baseline: number; candidate: number }): TestedFamily[] {
  const assumedVariance = assumedProcessCv ** 2 * (1 / processes.baseline + 1 / processes.candidate);
  return FAMILIES.map((name) => {
    const ofFamily = pairs.filter((pair) => familyOf(pair) === name);
    const model = fitVarianceModel(ofFamily);
    const tests = ofFamily.map((pair) => testPair(pair, model, assumedVariance, assumedProcessCv));
    const tested = tests.flatMap((test, row) => (test === undefined ? [] : [row]));
    const q = new Map(falseDiscoveryRates(tested.map((row) => tests[row]!.p)).map((one, at) => [tested[at]!, one]));
    const hypotheses = ofFamily.map((pair, row) => ({ ...pair, family: name, test: tests[row], q: q.get(row) }));
    return { name, model, hypotheses, tested: tested.length };
  });
}

function familyOf({ metric, scope }: RatePair): Family {
  return scope === WHOLE ? metric : `${metric} by transaction`;
}

function testPair(pair: RatePair, model: VarianceModel, assumedVariance: number, assumedProcessCv: number): Test | undefined {
  const moderated = moderate(pair, model);
  if (moderated === undefined) return undefined;
  const { baseline, candidate } = pair;
  if (baseline.rate > 0 && candidate.rate > 0) {
    const log = Math.log(candidate.rate / baseline.rate);
    const standardError = Math.sqrt(moderated.standardError ** 2 + assumedVariance);
    const ratio = { log, standardError, countingVariance: moderated.countingVariance };
    return { p: pOfT(log / standardError, moderated.df), df: moderated.df, ratio };
  }
  const present = baseline.rate > 0 ? baseline : candidate;
  const countingOfReplicate = (degreesOfFreedom(pair) + 1) / present.expectedSamples;
  const between = moderated.scale * (model.betweenVariance + countingOfReplicate) - countingOfReplicate;
  const overdispersion = Math.max(between, model.betweenVariance) + assumedProcessCv ** 2;
  return { p: presenceP(pair, overdispersion), df: moderated.df, ratio: undefined };
}
