import { tOfUpperTail } from './distributions.js';
import type { Change, Interval, Verdict } from './comparison-result.js';
import type { Hypothesis } from './hypotheses.js';
import type { RatesOfBoth } from './moderated-variance.js';

/** What a verdict depends on besides the row itself. */
export interface VerdictRules {
  /** An alarm needs q at or below this. */
  readonly alarmLevel: number;
  readonly possibleQ: number;
  /** `likely at most` where replicates are not processes. */
  readonly strongest: 'alarm' | 'likely at most';
  /** Length of the longer side. */
  readonly minutes: number;
}

export interface RowRules {
  /** Smallest change of the rate, in its unit, that matters in practice. */
  readonly floor: number;
  /** Tests of the same family. */
  readonly tested: number;
  /** Different windows with samples on the only side that has some; asked only if there is one side. */
  readonly windowsPresent: () => number;
}

/** A function that appeared or went needs to have been there in this many windows: one burst is not a release. */
const MIN_WINDOWS_PRESENT = 3;
/** Changes are to be found with this probability. */
const POWER = 0.95;
/** A change of this size should be found in anything; smaller ones only where the floor is smaller. */
const CHANGE_TO_FIND = 0.1;
const CONFIDENCE = 0.95;

/** What a row shows where nothing is judged. */
export function unjudgedChange({ baseline, candidate }: RatesOfBoth, verdict: Verdict = 'NO_VERDICT'): Change {
  return {
    baseline: baseline.rate,
    candidate: candidate.rate,
    delta: candidate.rate - baseline.rate,
    deltaPct: baseline.rate > 0 ? 100 * (candidate.rate / baseline.rate - 1) : null,
    intervalPct: null,
    p: null,
    q: null,
    verdict,
    minimumDetectablePct: null,
    moreMinutesNeeded: null,
    baselineSamples: baseline.samples,
    candidateSamples: candidate.samples,
  };
}

/** The whole answer about one tested row. */
export function judgedChange(hypothesis: Hypothesis, rules: VerdictRules, row: RowRules): Change {
  const { pair, test, q } = hypothesis;
  if (test === undefined) return unjudgedChange(pair, 'NOT_ENOUGH_DATA');
  const shown = unjudgedChange(pair);
  if (test.ratio === undefined) return { ...shown, p: test.p, q, verdict: presenceVerdict(pair, q, rules, row) };

  const { log, standardError, countingVariance } = test.ratio;
  const margin = tOfUpperTail((1 - CONFIDENCE) / 2, test.df) * standardError;
  const factor = detectableFactor(test.df, row.tested, rules);
  const middleRate = (shown.baseline + shown.candidate) / 2;
  const toFind = Math.log1p(Math.max(row.floor / middleRate, CHANGE_TO_FIND));
  return {
    ...shown,
    p: test.p,
    q,
    intervalPct: [percent(log - margin), percent(log + margin)] satisfies Interval,
    verdict: ratioVerdict(shown.delta, margin * middleRate, q, rules, row.floor),
    minimumDetectablePct: percent(factor * standardError),
    moreMinutesNeeded: moreMinutes(standardError ** 2, countingVariance, toFind / factor, rules.minutes),
  };
}

function percent(logRatio: number): number {
  return 100 * Math.expm1(logRatio);
}

/** Standard errors between a change that is found with probability `POWER` and none, at the level of the strictest rank of the family. */
function detectableFactor(df: number, tested: number, { alarmLevel }: VerdictRules): number {
  return tOfUpperTail(alarmLevel / tested / 2, df) + tOfUpperTail(1 - POWER, df);
}

/**
 * More time reduces only what counting adds to the variance. How processes differ stays: then only more processes help.
 *
 * @param target - Standard error at which the change would be found.
 * @returns `null` if it is small enough already, or never will be.
 */
function moreMinutes(variance: number, countingVariance: number, target: number, minutes: number): number | null {
  const lasting = Math.max(0, variance - countingVariance);
  if (variance <= target ** 2 || lasting >= target ** 2) return null;
  return Math.ceil(minutes * (countingVariance / (target ** 2 - lasting) - 1));
}

/** @param margin - Half of the interval of the change, in the unit of the rate; symmetric in both sides. */
function ratioVerdict(delta: number, margin: number, q: number, rules: VerdictRules, floor: number): Verdict {
  if (Math.abs(delta) >= floor) {
    if (q <= rules.alarmLevel && rules.strongest === 'alarm') return delta > 0 ? 'REGRESSED' : 'IMPROVED';
    if (q <= rules.possibleQ) return delta > 0 ? 'LIKELY_REGRESSED' : 'LIKELY_IMPROVED';
  }
  return Math.abs(delta) + margin <= floor ? 'UNCHANGED' : 'NOT_ENOUGH_DATA';
}

function presenceVerdict({ baseline, candidate }: RatesOfBoth, q: number, rules: VerdictRules, row: RowRules): Verdict {
  const delta = candidate.rate - baseline.rate;
  if (Math.abs(delta) < row.floor || q > rules.possibleQ || row.windowsPresent() < MIN_WINDOWS_PRESENT) return 'NOT_ENOUGH_DATA';
  if (q <= rules.alarmLevel && rules.strongest === 'alarm') return delta > 0 ? 'NEW' : 'GONE';
  return delta > 0 ? 'LIKELY_REGRESSED' : 'LIKELY_IMPROVED';
}
