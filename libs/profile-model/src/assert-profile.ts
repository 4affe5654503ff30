import { ProfileError } from './errors.js';
import { assertLabelSet } from './label-set.js';
import { parseProfileTypeId, profileTypeId } from './profile-type.js';
import type { Profile } from './profile.js';
import { NO_PARENT, assertStackTable } from './stack-table.js';

/**
 * Checks everything that `Profile` promises.
 *
 * @throws {ProfileError} `PROFILE_TYPE_ID`, `PROFILE_TIME`, `PROFILE_COLUMN_LENGTH`, `PROFILE_STACK_ORDER`, `PROFILE_STACK_FUNCTION`,
 *   `LABEL_SET_ORDER`, `PROFILE_SAMPLE_STACK`, `PROFILE_SAMPLE_LABEL_SET`, `PROFILE_SAMPLE_VALUE`
 */
export function assertProfile(profile: Profile): void {
  parseProfileTypeId(profileTypeId(profile.type));
  if (!Number.isSafeInteger(profile.startMs) || !Number.isSafeInteger(profile.durationMs) || profile.durationMs < 0) {
    throw new ProfileError('PROFILE_TIME', `starts at ${profile.startMs} ms and lasts ${profile.durationMs} ms`);
  }
  const { functions, stacks, labelSets } = profile;
  if (
    functions.name.length !== functions.length ||
    functions.package.length !== functions.length ||
    functions.file.length !== functions.length
  ) {
    throw new ProfileError(
      'PROFILE_COLUMN_LENGTH',
      `function table: length ${functions.length}, name ${functions.name.length}, package ${functions.package.length}, file ${functions.file.length}`,
    );
  }
  assertStackTable(stacks, functions.length);
  for (const labels of labelSets) assertLabelSet(labels);
  assertSamples(profile);
}

function assertSamples({ stacks, labelSets, sampleStack, sampleLabelSet, sampleValue, sampleCount }: Profile): void {
  const length = sampleStack.length;
  if (sampleLabelSet.length !== length || sampleValue.length !== length || sampleCount.length !== length) {
    throw new ProfileError(
      'PROFILE_COLUMN_LENGTH',
      `samples: stack ${length}, label set ${sampleLabelSet.length}, value ${sampleValue.length}, count ${sampleCount.length}`,
    );
  }
  for (let row = 0; row < length; row += 1) {
    const stack = sampleStack[row]!;
    if (stack < NO_PARENT || stack >= stacks.length) {
      throw new ProfileError('PROFILE_SAMPLE_STACK', `sample ${row} names stack ${stack} of ${stacks.length}`);
    }
    if (sampleLabelSet[row]! >= labelSets.length) {
      throw new ProfileError(
        'PROFILE_SAMPLE_LABEL_SET',
        `sample ${row} names label set ${sampleLabelSet[row]} of ${labelSets.length}`,
      );
    }
    if (!Number.isSafeInteger(sampleValue[row]) || !Number.isSafeInteger(sampleCount[row]) || sampleCount[row]! < 0) {
      throw new ProfileError('PROFILE_SAMPLE_VALUE', `sample ${row} has value ${sampleValue[row]} and count ${sampleCount[row]}`);
    }
  }
}
