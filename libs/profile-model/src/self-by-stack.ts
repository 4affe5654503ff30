import type { Profile } from './profile.js';
import { NO_PARENT } from './stack-table.js';

/**
 * Sum of the values of the samples that end in each stack. Length: that of the stack table. Samples without frames are in `selfWithoutStack`.
 *
 * @param ofSample - What is summed. Default: the values.
 */
export function selfByStack(
  profile: Pick<Profile, 'stacks' | 'sampleStack' | 'sampleValue'>,
  ofSample: Float64Array = profile.sampleValue,
): Float64Array {
  const self = new Float64Array(profile.stacks.length);
  profile.sampleStack.forEach((stack, row) => {
    if (stack !== NO_PARENT) self[stack]! += ofSample[row]!;
  });
  return self;
}

/** Sum of the values of the samples without frames: what belongs to the root itself. */
export function selfWithoutStack(profile: Profile): number {
  let sum = 0;
  profile.sampleStack.forEach((stack, row) => {
    if (stack === NO_PARENT) sum += profile.sampleValue[row]!;
  });
  return sum;
}
