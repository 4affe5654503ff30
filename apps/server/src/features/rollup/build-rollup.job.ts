import type { EpochMs } from '@hearth/profile-model';
import { z } from 'zod';
import { defineJob } from '../../platform/queue/index.js';

/** Names of the levels in jobs. */
export type RollupLevel = '1m' | '1h' | '1d';

export interface BuildRollupPayload {
  readonly serviceId: number;
  readonly level: RollupLevel;
  readonly windowStartMs: EpochMs;
}
const payloadSchema = z.object({ serviceId: z.int(), level: z.enum(['1m', '1h', '1d']), windowStartMs: z.int() });

/** Build what is pending in one minute, hour or day of one service. Safe to run twice: what is built already is skipped by sequence. */
export const buildRollup = defineJob<BuildRollupPayload>({
  name: 'build-rollup',
  parse: (json) => payloadSchema.parse(json),
  id: (payload) => `rollup.${payload.serviceId}.${payload.level}.${payload.windowStartMs}`,
  attempts: 5,
});
