import { ProfileError } from './errors.js';
import { ProfileBuilder } from './profile-builder.js';
import { profileTypeId } from './profile-type.js';
import type { Profile } from './profile.js';
import { NO_PARENT } from './stack-table.js';

/**
 * One profile with the samples of all: equal stacks become one stack, and equal (stack, label set) rows one row, summed.
 * It covers from the first start to the last end.
 *
 * @throws {ProfileError} `PROFILE_TYPES_DIFFER` if the types differ or `profiles` is empty
 */
export function mergeProfiles(profiles: readonly Profile[]): Profile {
  const first = profiles[0];
  if (first === undefined) throw new ProfileError('PROFILE_TYPES_DIFFER', 'no profile to merge, so no type');
  const typeId = profileTypeId(first.type);
  let startMs = first.startMs;
  let endMs = first.startMs;
  for (const profile of profiles) {
    if (profileTypeId(profile.type) !== typeId) {
      throw new ProfileError('PROFILE_TYPES_DIFFER', `${typeId} and ${profileTypeId(profile.type)} cannot be added`);
    }
    startMs = Math.min(startMs, profile.startMs);
    endMs = Math.max(endMs, profile.startMs + profile.durationMs);
  }
  const builder = new ProfileBuilder({ type: first.type, startMs, durationMs: endMs - startMs });
  for (const profile of profiles) addSamples(builder, profile);
  return builder.build();
}

function addSamples(builder: ProfileBuilder, profile: Profile): void {
  const stackRows = builder.addStacks(profile.stacks, builder.addFunctions(profile.functions));
  const labelSetRows = profile.labelSets.map((labels) => builder.labelSetRow(labels));
  for (let row = 0; row < profile.sampleStack.length; row += 1) {
    const stack = profile.sampleStack[row]!;
    builder.addSample(
      stack === NO_PARENT ? NO_PARENT : stackRows[stack]!,
      labelSetRows[profile.sampleLabelSet[row]!]!,
      profile.sampleValue[row]!,
      profile.sampleCount[row]!,
    );
  }
}
