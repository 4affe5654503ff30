import { MAX_NAME_LENGTH } from '@hearth/profile-model';
import { z } from 'zod';
import { selectionSchema } from './selection.js';

export const timelineQuerySchema = selectionSchema.extend({
  /** Width of a step in milliseconds; chosen by the server (about 120 steps, whole windows of 10 s or minutes) if left out. */
  stepMs: z.coerce.number().int().min(10_000).max(86_400_000).optional(),
  /** Label whose values become series; `revision` and `process` work too. */
  groupBy: z.string().max(100).optional(),
});
export const functionsQuerySchema = selectionSchema.extend({
  sort: z.enum(['self', 'total']).default('self'),
  limit: z.coerce.number().int().min(1).max(10_000).default(500),
  /** Part of a name or file, not a pattern. */
  search: z.string().max(200).optional(),
});
export const linesQuerySchema = selectionSchema.omit({ maxNodes: true }).extend({
  /** Numbers of lines mean nothing without it. */
  revision: z.string().min(1).max(MAX_NAME_LENGTH),
  /** As function tables name it: relative to the repository, or to its package. If left out, the one in which most ran. */
  file: z.string().min(1).max(4096).optional(),
  package: z.string().max(4096).default(''),
});
export type LinesRequest = z.output<typeof linesQuerySchema>;
export const transactionsQuerySchema = selectionSchema.omit({ type: true, maxNodes: true });
export const exportQuerySchema = selectionSchema.extend({ format: z.enum(['pprof', 'folded']).default('pprof') });
export const labelsQuerySchema = z.object({ from: selectionSchema.shape.from, until: selectionSchema.shape.until });
export const comparisonRequestSchema = z.object({ baseline: selectionSchema, candidate: selectionSchema });
export type ComparisonRequest = z.input<typeof comparisonRequestSchema>;
export const deployRequestSchema = z.object({
  service: z.string().min(1).max(MAX_NAME_LENGTH),
  environment: z.string().min(1).max(MAX_NAME_LENGTH),
  revision: z.string().min(1).max(MAX_NAME_LENGTH),
  /** RFC 3339 or milliseconds; now if left out. */
  at: z.union([z.string().max(40), z.number()]).optional(),
  version: z.string().max(100).optional(),
  branch: z.string().max(200).optional(),
});
export const deploysQuerySchema = z.object({
  service: z.string().max(MAX_NAME_LENGTH).optional(),
  from: selectionSchema.shape.from,
  until: selectionSchema.shape.until,
});
export const sessionRequestSchema = z.object({ email: z.string().min(1).max(200), password: z.string().min(1).max(200) });
export const apiKeyRequestSchema = z.object({ name: z.string().min(1).max(100), kind: z.enum(['ingest', 'read', 'admin']) });
/** Of a quota: `null` is the default. */
const quotaNumber = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).nullable().optional();
/** What is left out stays as it is. */
export const quotaRequestSchema = z.strictObject({
  profilesPerMinute: quotaNumber,
  bytesPerMinute: quotaNumber,
  services: quotaNumber,
  environmentsPerService: quotaNumber,
  releasesPerService: quotaNumber,
  processesPerService: quotaNumber,
  labelSetsPerService: quotaNumber,
  transactionNamesPerService: quotaNumber,
});
export const projectRequestSchema = z.object({ name: z.string().min(1).max(100) });
