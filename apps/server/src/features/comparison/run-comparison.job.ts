import { z } from 'zod';
import { defineJob } from '../../platform/queue/index.js';

const payloadSchema = z.object({
  serviceId: z.number().int(),
  id: z.string().min(1).max(100),
  /** Runs begun before this one. Another number is another job, so a queue that still knows a lost one does not refuse it. */
  attempts: z.number().int(),
});
export type RunComparisonPayload = z.infer<typeof payloadSchema>;

/** Compute one comparison. Safe to run twice, also at once: its row is leased to one worker at a time. */
export const runComparison = defineJob<RunComparisonPayload>({
  name: 'run-comparison',
  parse: (json) => payloadSchema.parse(json),
  id: (payload) => `comparison.${payload.id}.${payload.attempts}`,
  // Whoever finds the row unattended queues it again.
  attempts: 1,
});
