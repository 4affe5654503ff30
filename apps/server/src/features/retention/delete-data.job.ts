import { z } from 'zod';
import { defineJob } from '../../platform/queue/index.js';
import type { DeletionKey } from './deletions.repository.js';

const payloadSchema = z.object({ serviceId: z.int(), id: z.int() });

/** Carry out one order to delete. Safe to run twice, and killed anywhere: what is gone is found gone. */
export const deleteData = defineJob<DeletionKey>({
  name: 'delete-data',
  parse: (json) => payloadSchema.parse(json),
  id: ({ serviceId, id }) => `delete.${serviceId}.${id}`,
  // The order counts its runs itself and says when the next is due, so that they end, and a queue that forgets is no harm.
  attempts: 1,
});
