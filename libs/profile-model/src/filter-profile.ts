import type { LabelMatcher } from './label-matcher.js';
import { matchesLabels } from './label-matcher.js';
import type { Profile } from './profile.js';

/**
 * Only the samples whose labels match. The tables are shared with `profile`, so they may hold stacks and label sets without a sample.
 *
 * @throws {ProfileError} `LABEL_MATCHER` for a bad pattern
 */
export function filterProfile(profile: Profile, matchers: readonly LabelMatcher[]): Profile {
  if (matchers.length === 0) return profile;
  const isKept = profile.labelSets.map((labels) => matchesLabels(labels, matchers));
  const keptRow = (_: number, row: number): boolean => isKept[profile.sampleLabelSet[row]!]!;
  return {
    ...profile,
    sampleStack: profile.sampleStack.filter(keptRow),
    sampleLabelSet: profile.sampleLabelSet.filter(keptRow),
    sampleValue: profile.sampleValue.filter(keptRow),
    sampleCount: profile.sampleCount.filter(keptRow),
  };
}
