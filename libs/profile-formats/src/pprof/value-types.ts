import type { ProfileType } from '@hearth/profile-model';
import { PROFILE_TYPE_IDS, parseProfileTypeId } from '@hearth/profile-model';
import { isTimeUnit } from './time-scale.js';

export interface ValueType {
  readonly type: string;
  readonly unit: string;
}

/** Sample types that are the same thing in our own agent, whoever measured them: they get its type ids, and can be shown and compared together. */
const OWN_TYPE_IDS: Readonly<Record<string, string>> = {
  'cpu/time': PROFILE_TYPE_IDS.cpu,
  'wall/time': PROFILE_TYPE_IDS.wall,
  'inuse_space/bytes': PROFILE_TYPE_IDS.inuse_space,
  'inuse_objects/count': PROFILE_TYPE_IDS.inuse_objects,
  'alloc_space/bytes': PROFILE_TYPE_IDS.alloc_space,
  'alloc_objects/count': PROFILE_TYPE_IDS.alloc_objects,
};
/** Names of profiles by the type of their period. */
const NAMES: Readonly<Record<string, string>> = { cpu: 'process_cpu', space: 'memory', inuse_space: 'memory' };

/** The type of a profile made from one sample type. Units of time become `microseconds`, as the values do. */
export function profileTypeOf(sample: ValueType, period: ValueType | undefined): ProfileType {
  const own = `${sample.type}/${isTimeUnit(sample.unit) ? 'time' : sample.unit}`;
  if (Object.hasOwn(OWN_TYPE_IDS, own)) return parseProfileTypeId(OWN_TYPE_IDS[own]!);
  const periodType = word(period?.type ?? '');
  const sampleType = word(sample.type);
  const namedBy = periodType === '' ? sampleType : periodType;
  return {
    name: (Object.hasOwn(NAMES, namedBy) ? NAMES[namedBy] : namedBy) || 'unknown',
    sampleType,
    sampleUnit: wholeUnit(sample.unit),
    periodType,
    periodUnit: wholeUnit(period?.unit ?? ''),
  };
}

/** The value type that says how many raw samples are behind the others. */
export function isSampleCount({ type, unit }: ValueType): boolean {
  return (type === 'samples' || type === 'sample') && unit === 'count';
}

function wholeUnit(unit: string): string {
  return isTimeUnit(unit) ? 'microseconds' : word(unit);
}

/** A part of a type id: no colon, no space, at most 64 characters. */
function word(text: string): string {
  return text.replace(/[:\s\0\p{Surrogate}]/gu, '_').slice(0, 64).replace(/\p{Surrogate}$/u, ''); // prettier-ignore
}
