import { labelSet } from '../label-set.js';
import { ProfileBuilder } from '../profile-builder.js';
import type { ProfileHead } from '../profile-builder.js';
import { PROFILE_TYPE_IDS, parseProfileTypeId } from '../profile-type.js';
import type { Profile } from '../profile.js';
import { NO_PARENT } from '../stack-table.js';

export interface RandomProfileSize {
  /** Samples drawn; equal ones are added up. Default 40. */
  readonly samples?: number;
  /** Distinct functions at most. Default 12. */
  readonly functions?: number;
  /** Frames of a stack at most. Default 8. */
  readonly maxDepth?: number;
  /** Distinct label sets at most. Default 4. */
  readonly labelSets?: number;
}

/** A profile that is the same for the same seed, on every machine. Functions recur within stacks; some samples have no frames. */
export function randomProfile(seed: number, size: RandomProfileSize = {}, head: Partial<ProfileHead> = {}): Profile {
  const { samples = 40, functions = 12, maxDepth = 8, labelSets = 4 } = size;
  const below = randomBelow(seed);
  const builder = new ProfileBuilder({
    type: parseProfileTypeId(PROFILE_TYPE_IDS.cpu),
    startMs: 1_700_000_000_000 + below(3_600_000),
    durationMs: 10_000,
    ...head,
  });
  for (let sample = 0; sample < samples; sample += 1) {
    let stack = NO_PARENT;
    for (let depth = below(maxDepth + 1); depth > 0; depth -= 1) {
      const number = below(functions);
      const key = { name: `function${number}`, package: number % 3 === 0 ? 'lodash' : '', file: `src/file${number % 5}.ts` };
      stack = builder.stackRow(stack, builder.functionRow(key));
    }
    const group = below(labelSets);
    const labels =
      group === 0 ? labelSet({}) : labelSet({ transaction: `GET /${group}`, plan: group % 2 === 0 ? 'free' : 'pro' });
    builder.addSample(stack, builder.labelSetRow(labels), below(100_000), 1 + below(5));
  }
  return builder.build();
}

/** Whole numbers from 0 to before `bound`, from a linear congruential generator of 32 bits; its high bits are the good ones. */
function randomBelow(seed: number): (bound: number) => number {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}
