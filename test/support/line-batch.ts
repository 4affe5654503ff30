import { PROFILE_TYPE_IDS } from '@hearth/profile-model';
import { profileFromText } from '@hearth/profile-model/testing';
import type { Batch } from '@hearth/wire-format';
import { madeBatch } from './made-batch.js';

/**
 * A batch of `madeBatch` whose CPU profile is drawn, as `profileFromText` reads it. A frame is `name#line@file`, where `line` is the one that ran.
 *
 * @param lines - What the profile says its lines are. Default `call-site`.
 */
export function lineBatch(
  made: Parameters<typeof madeBatch>[0],
  text: string,
  lines: Batch['profiles'][number]['lines'] = 'call-site',
): Batch {
  const { functions, stacks, labelSets, sampleStack, sampleLabelSet, sampleValue, sampleCount } = profileFromText(text);
  const parts = functions.name.map((name) => name.split('#'));
  return {
    ...madeBatch(made),
    functions: {
      length: functions.length,
      name: parts.map(([name]) => name!),
      scriptName: functions.file.map((file) => `/srv/made/${file}`),
      line: Uint32Array.from(parts, ([, line]) => Number(line)),
    },
    stacks,
    labelSets,
    profiles: [{ typeId: PROFILE_TYPE_IDS.cpu, lines, sampleStack, sampleLabelSet, sampleValue, sampleCount }],
    transactions: [],
  };
}
