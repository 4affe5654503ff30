import { pOfT } from './distributions.js';
import { degreesOfFreedom, moderateFamily } from './moderated-variance.js';
import type { ModeratedVariance, VarianceModel } from './moderated-variance.js';
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
export interface Hypothesis {
  readonly pair: RatePair;
  /** `undefined` where nothing could be tested. */
  readonly test: Test | undefined;
  /** After Benjamini-Hochberg within the family; 1 without a test. */
  readonly q: number;
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
export function testFamilies(
  pairs: readonly RatePair[],
  assumedProcessCv: number,
  processes: { baseline: number; candidate: number },
): TestedFamily[] {
  const assumedVariance = assumedProcessCv ** 2 * (1 / processes.baseline + 1 / processes.candidate);
  const ofFamily = new Map<Family, RatePair[]>(FAMILIES.map((name) => [name, []]));
  for (const pair of pairs) ofFamily.get(familyOf(pair))!.push(pair);
  return FAMILIES.map((name) => {
    const family = ofFamily.get(name)!;
    const { model, moderated } = moderateFamily(family);
    const tests = family.map((pair, row) => testPair(pair, model, moderated[row], { assumedVariance, assumedProcessCv }));
    const tested = tests.flatMap((test, row) => (test === undefined ? [] : [row]));
    const q = new Float64Array(family.length).fill(1);
    falseDiscoveryRates(tested.map((row) => tests[row]!.p)).forEach((one, at) => (q[tested[at]!] = one));
    const hypotheses = family.map((pair, row) => ({ pair, test: tests[row], q: q[row]! }));
    return { name, model, hypotheses, tested: tested.length };
  });
}

function familyOf({ metric, scope }: RatePair): Family {
  return scope === WHOLE ? metric : `${metric} by transaction`;
}

interface Assumptions {
  /** Variance of a log ratio from how processes are assumed to differ. */
  readonly assumedVariance: number;
  readonly assumedProcessCv: number;
}

function testPair(
  pair: RatePair,
  model: VarianceModel,
  moderated: ModeratedVariance | undefined,
  { assumedVariance, assumedProcessCv }: Assumptions,
): Test | undefined {
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
