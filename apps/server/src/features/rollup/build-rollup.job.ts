import type { EpochMs } from '@hearth/profile-model';
import { z } from 'zod';
import { defineJob } from '../../platform/queue/index.js';

export interface BuildRollupPayload {
  readonly serviceId: number;
  /** Hours and days will be levels of their own. */
  readonly level: '1m';
  readonly windowStartMs: EpochMs;
}
const payloadSchema = z.object({ serviceId: z.int(), level: z.literal('1m'), windowStartMs: z.int() });

/** Build what is pending in one minute of one service. Safe to run twice: what is built already is skipped by sequence. */
export const buildRollup = defineJob<BuildRollupPayload>({
  name: 'build-rollup',
  parse: (json) => payloadSchema.parse(json),
  id: (payload) => `rollup.${payload.serviceId}.${payload.level}.${payload.windowStartMs}`,
  attempts: 5,
});
