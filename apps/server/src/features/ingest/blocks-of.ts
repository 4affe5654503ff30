import { parseProfileTypeId, profileTypeKind } from '@hearth/profile-model';
import type { BatchToStore } from '../profile-store/index.js';
import type { CanonicalProfile } from './canonical-batch.js';
import { idColumn } from './id-column.js';

/** The samples of each profile by the ids of their stacks and label sets. @param profileTypeIds - Length `profiles.length`, in their order. */
export function blocksOf(
  profiles: readonly CanonicalProfile[],
  stackIds: Int32Array,
  labelSetIds: readonly number[],
  profileTypeIds: readonly number[],
): BatchToStore['blocks'] {
  return profiles.map((profile, at) => ({
    profileTypeId: profileTypeIds[at]!,
    kind: profileTypeKind(parseProfileTypeId(profile.typeId)),
    stackId: idColumn(profile.sampleStack, stackIds, new Int32Array(profile.sampleStack.length)),
    labelSetId: idColumn(profile.sampleLabelSet, labelSetIds, new Uint32Array(profile.sampleStack.length)),
    value: profile.sampleValue,
    count: profile.sampleCount,
    lineCosts: profile.lineCosts,
  }));
}
