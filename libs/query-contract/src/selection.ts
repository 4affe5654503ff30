import { MAX_NAME_LENGTH, type EpochMs } from '@hearth/profile-model';
import { z } from 'zod';

/** Milliseconds since the epoch, RFC 3339, `now`, or `now-15m` (s, m, h, d). Resolved by the server. */
export const timeSchema = z
  .string()
  .max(40)
  .regex(
    /^(now(-\d{1,6}[smhd])?|\d{1,16}|\d{4}-\d{2}-\d{2}T[\d:.]{5,18}(Z|[+-]\d{2}:\d{2}))$/,
    'must be now, now-1h, milliseconds since the epoch, or RFC 3339',
  );

export const DEFAULT_MAX_NODES = 16_384;

/** The same everywhere: which profiles an answer is about. All fields are strings, as in a URL. */
export const selectionSchema = z.object({
  service: z.string().min(1).max(MAX_NAME_LENGTH),
  environment: z.string().max(MAX_NAME_LENGTH).optional(),
  /** Profile type id or its short name. */
  type: z.string().min(1).max(400).default('cpu'),
  from: timeSchema.default('now-1h'),
  until: timeSchema.default('now'),
  revision: z.string().max(MAX_NAME_LENGTH).optional(),
  /** Process id: 32 hexadecimal digits. */
  process: z.string().max(64).optional(),
  /** Transaction name; short for a matcher on its label. */
  transaction: z.string().max(400).optional(),
  /** `{plan="pro",pod=~"a.*"}` with `= != =~ !~`. */
  match: z.string().max(2000).optional(),
  maxNodes: z.coerce.number().int().min(1).max(262_144).default(DEFAULT_MAX_NODES),
});
/** As it is sent; defaults may be left out. */
export type SelectionInput = z.input<typeof selectionSchema>;
export type Selection = z.output<typeof selectionSchema>;

/** The selection that was really used: times resolved, type in full. */
export interface ResolvedSelection extends Omit<Selection, 'from' | 'until'> {
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
}
