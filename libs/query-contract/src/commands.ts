import { MAX_NAME_LENGTH } from '@hearth/profile-model';
import { z } from 'zod';

export const commandRequestSchema = z.strictObject({
  /** Lines instead of labels for a while. */
  kind: z.literal('record-lines'),
  durationMs: z.number().int().min(10_000).max(60_000).default(60_000),
  /** How many processes are asked at most, the last heard of first. */
  processes: z.number().int().min(1).max(100).default(1),
  /** Only this one. */
  process: z.string().max(MAX_NAME_LENGTH).optional(),
  environment: z.string().max(MAX_NAME_LENGTH).optional(),
});
export type CommandRequest = z.output<typeof commandRequestSchema>;

/** Offered with every answer until it expires: an agent begins each once. */
export interface OfferedCommand {
  readonly id: string;
  readonly kind: 'record-lines';
  /** The one process that it is meant for. */
  readonly process: string;
  readonly durationMs: number;
}

export interface CommandAnswer {
  readonly id: string;
  readonly kind: 'record-lines';
  /** Ids of the processes that are asked. */
  readonly processes: readonly string[];
  readonly durationMs: number;
  readonly issuedMs: number;
  /** From then on it is offered no more. */
  readonly expiresMs: number;
}
