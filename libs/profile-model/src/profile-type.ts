import { ProfileError } from './errors.js';

/** Which kind of profile a series holds. All five parts are words without ":". */
export interface ProfileType {
  readonly name: string;
  readonly sampleType: string;
  readonly sampleUnit: string;
  readonly periodType: string;
  readonly periodUnit: string;
}

/** `name:sample-type:sample-unit:period-type:period-unit`, Pyroscope's form. */
export type ProfileTypeId = string;

/** A flow is summed over time; a level (in-use heap) never is: it is stored as value x period and divided by the range. */
export type ProfileTypeKind = 'flow' | 'level';

/** Short names that the API and the dashboard use for the profile types of our own agent. */
export const PROFILE_TYPE_IDS = {
  cpu: 'process_cpu:cpu:microseconds:cpu:microseconds',
  wall: 'wall:wall:microseconds:wall:microseconds',
  wait: 'wait:wait:microseconds:wait:microseconds',
  awaited: 'wait:awaited:microseconds:wait:microseconds',
  inuse_space: 'memory:inuse_space:bytes:space:bytes',
  inuse_objects: 'memory:inuse_objects:count:space:bytes',
  alloc_space: 'memory:alloc_space:bytes:space:bytes',
  alloc_objects: 'memory:alloc_objects:count:space:bytes',
  calls: 'calls:calls:count:calls:count',
} as const satisfies Record<string, ProfileTypeId>;

export type ProfileTypeShortName = keyof typeof PROFILE_TYPE_IDS;

const TYPE_ID = /^[^:\s\0]{1,64}(:[^:\s\0]{0,64}){4}$/;

/** @throws {ProfileError} `PROFILE_TYPE_ID` */
export function parseProfileTypeId(id: ProfileTypeId): ProfileType {
  if (!TYPE_ID.test(id)) {
    throw new ProfileError('PROFILE_TYPE_ID', `"${id.slice(0, 80)}" is not name:sample-type:sample-unit:period-type:period-unit`);
  }
  const [name, sampleType, sampleUnit, periodType, periodUnit] = id.split(':') as [string, string, string, string, string];
  return { name, sampleType, sampleUnit, periodType, periodUnit };
}

export function profileTypeId(type: ProfileType): ProfileTypeId {
  return [type.name, type.sampleType, type.sampleUnit, type.periodType, type.periodUnit].join(':');
}

/** The id behind a short name; a full id is returned as it is. @throws {ProfileError} `PROFILE_TYPE_ID` */
export function resolveProfileTypeId(nameOrId: string): ProfileTypeId {
  if (Object.hasOwn(PROFILE_TYPE_IDS, nameOrId)) return PROFILE_TYPE_IDS[nameOrId as ProfileTypeShortName];
  return profileTypeId(parseProfileTypeId(nameOrId));
}

export function profileTypeKind(type: ProfileType): ProfileTypeKind {
  return type.sampleType.startsWith('inuse_') ? 'level' : 'flow';
}
