import type { EpochMs } from '@hearth/profile-model';
import { z } from 'zod';
import { defineJob } from '../../platform/queue/index.js';

/** What of a pinned revision is past, and would go if it were not pinned. */
export interface KeepPinnedPayload {
  readonly serviceId: number;
  readonly revisionId: number;
  readonly daysBeforeMs: EpochMs;
  readonly transactionsBeforeMs: EpochMs;
}
const payloadSchema = z.object({ serviceId: z.int(), revisionId: z.int(), daysBeforeMs: z.int(), transactionsBeforeMs: z.int() });

/** Keep what is past of a pinned revision. Safe to run twice, also at once, and killed anywhere: a day is moved in one database transaction. */
export const keepPinned = defineJob<KeepPinnedPayload>({
  name: 'keep-pinned',
  parse: (json) => payloadSchema.parse(json),
  id: ({ serviceId, revisionId }) => `pin.${serviceId}.${revisionId}`,
  // Whoever looks for what is past queues it again.
  attempts: 1,
});
