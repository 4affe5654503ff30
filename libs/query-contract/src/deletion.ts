import type { EpochMs } from '@hearth/profile-model';
import { z } from 'zod';
import { timeSchema } from './selection.js';

export type DeletionStatus = 'pending' | 'running' | 'done' | 'failed';

/** What of a service is to go. */
export type DeletionSelector =
  | { readonly kind: 'service' }
  /** Windows that start within [fromMs, untilMs). */
  | { readonly kind: 'range'; readonly fromMs: EpochMs; readonly untilMs: EpochMs }
  /** Samples and transactions whose labels hold it, and everything of the processes that carry it. */
  | { readonly kind: 'label'; readonly name: string; readonly value: string };

/** A part of a service: a range of time, or a value of a label. */
export const dataDeletionQuerySchema = z
  .object({
    from: timeSchema.optional(),
    until: timeSchema.optional(),
    /** Name of a label. */
    label: z.string().min(1).max(200).optional(),
    value: z.string().max(4000).optional(),
  })
  .refine(({ from, until, label, value }) => {
    const isRange = from !== undefined && until !== undefined;
    const isLabel = label !== undefined && value !== undefined;
    const given = [from, until, label, value].filter((one) => one !== undefined).length;
    return given === 2 && isRange !== isLabel;
  }, 'needs either from and until, or label and value');
export type DataDeletionRequest = z.output<typeof dataDeletionQuerySchema>;

/** One order to delete, and how far it is. */
export interface DeletionAnswer {
  readonly id: string;
  readonly service: string;
  readonly selector: DeletionSelector;
  readonly status: DeletionStatus;
  /** Pieces of work (tables, or partitions of tables) that are done, and how many there are; 0 of 0 until it is known. */
  readonly steps: { readonly done: number; readonly total: number };
  /** Rows deleted, and rows written again without what was to go. */
  readonly rowsRemoved: number;
  /** Of disk that came back so far. */
  readonly bytesReturned: number;
  readonly createdMs: number;
  /** When it was done, or given up. */
  readonly finishedMs: number | null;
  /** Runs begun since it was ordered. */
  readonly attempts: number;
  /** Why the last run ended before its time; `null`: none did. */
  readonly error: { readonly code: string; readonly message: string } | null;
}
