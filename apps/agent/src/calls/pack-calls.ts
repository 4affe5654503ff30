import { NO_PARENT, PROFILE_TYPE_IDS, type LabelSetIndex } from '@hearth/profile-model';
import type { BatchProfile } from '@hearth/wire-format';
import { SampleColumns } from '../batching/sample-columns.js';
import type { StackTables } from '../samplers/stack-tables.js';
import type { ChosenFunctions } from './chosen-functions.js';
import type { DefinitionPlace } from './definition-places.js';

/** What was counted, and where each of the functions is defined: one place for each. */
export interface CountedCalls {
  readonly chosen: ChosenFunctions;
  readonly places: readonly DefinitionPlace[];
}

/** Frames of ours, above functions whose values are not their calls alone. */
const ABOVE: Record<DefinitionPlace['counts'], string | undefined> = {
  calls: undefined,
  entries: '(async functions and generators: calls and resumptions)',
  unknown: '(source not found: perhaps resumptions, too)',
};
const OTHERS = '(other functions)';

/** Calls as a profile: each function a stack of itself, its value how often it was called. */
export function packCalls({ chosen, places }: CountedCalls, tables: StackTables, labelSet: LabelSetIndex): BatchProfile {
  const columns = new SampleColumns();
  chosen.functions.forEach(({ name, url, count }, at) => {
    const { line, column, counts } = places[at]!;
    const above = ABOVE[counts];
    const parent = above === undefined ? NO_PARENT : tables.stackRow(NO_PARENT, above, '', 0);
    columns.add(tables.stackRow(parent, name, url, line, column), labelSet, count, 1);
  });
  const { functions, calls } = chosen.others;
  if (functions > 0) columns.add(tables.stackRow(NO_PARENT, OTHERS, '', 0), labelSet, calls, functions);
  return columns.toProfile(PROFILE_TYPE_IDS.calls, (value) => value);
}
