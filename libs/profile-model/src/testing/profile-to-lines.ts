import { labelSetKey } from '../label-set.js';
import { profileTypeId } from '../profile-type.js';
import type { Profile } from '../profile.js';
import { NO_PARENT, functionsRootFirst } from '../stack-table.js';

/**
 * What a profile says, whatever the order of its rows: a line for its head, then one for each sample, sorted. Two profiles are equal when these are.
 * Rows that repeat are not added up.
 */
export function profileToLines(profile: Profile): string[] {
  const { functions } = profile;
  const samples: string[] = [];
  profile.sampleStack.forEach((stack, row) => {
    const frames = stack === NO_PARENT ? [] : functionsRootFirst(profile.stacks, stack);
    const path = frames.map((at) => `${functions.name[at]}@${functions.package[at]}:${functions.file[at]}`).join(' > ');
    const labels = labelSetKey(profile.labelSets[profile.sampleLabelSet[row]!]!);
    samples.push(`${path} ${labels} ${profile.sampleValue[row]} x${profile.sampleCount[row]}`);
  });
  return [`${profileTypeId(profile.type)} from ${profile.startMs} for ${profile.durationMs}`, ...samples.sort()];
}
