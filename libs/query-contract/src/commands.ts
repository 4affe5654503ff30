import { MAX_NAME_LENGTH } from '@hearth/profile-model';
import { z } from 'zod';

/** A shorter recording says little of lines, and takes as long to be read; a shorter raise of the rate costs as much to begin and to end. */
const MIN_RECORDING_MS = 10_000;
/** Of JSON, of one command: an agent reads answers of 64 KiB, and eight commands may be open for it. */
const MAX_NAMED_BYTES = 6_000;
const named = z.array(z.string().min(1).max(200)).max(20).default([]);

/**
 * `record-lines`: lines instead of labels for a while. `raise-rate`: more samples a second for a while; how many, the agent's options say. `count-calls`: how often
 * functions are called, exactly.
 */
export type CommandKind = 'record-lines' | 'raise-rate' | 'count-calls';

export const commandRequestSchema = z
  .strictObject({
    kind: z.enum(['record-lines', 'raise-rate', 'count-calls']),
    /** If left out a minute; of `count-calls` ten seconds. Lines and a higher rate take ten seconds at least. */
    durationMs: z.number().int().min(1_000).max(60_000).optional(),
    /** How many processes are asked at most, the last heard of first. */
    processes: z.number().int().min(1).max(100).default(1),
    /** Only this one. */
    process: z.string().max(MAX_NAME_LENGTH).optional(),
    environment: z.string().max(MAX_NAME_LENGTH).optional(),
    /** Of `count-calls`: names of functions, whole, or their beginning and a `*`. With neither these nor files: those of the service's own files. */
    functions: named,
    /** Of `count-calls`: parts of the names of scripts, no patterns. */
    files: named,
  })
  .refine(({ kind, functions, files }) => kind === 'count-calls' || (functions.length === 0 && files.length === 0), {
    message: 'functions and files belong to count-calls',
  })
  .refine(({ functions, files }) => new TextEncoder().encode(JSON.stringify([functions, files])).length <= MAX_NAMED_BYTES, {
    message: `functions and files are more than ${MAX_NAMED_BYTES} bytes together: name fewer, or the beginning of names and a *`,
  })
  .refine(({ kind, durationMs }) => kind === 'count-calls' || (durationMs ?? MIN_RECORDING_MS) >= MIN_RECORDING_MS, {
    message: 'lines are recorded, and the rate is raised, for 10,000 ms at least',
    path: ['durationMs'],
  });
export type CommandRequest = z.output<typeof commandRequestSchema>;

/** Offered with every answer until it expires: an agent begins each once. */
export interface OfferedCommand {
  readonly id: string;
  readonly kind: CommandKind;
  /** The one process that it is meant for. */
  readonly process: string;
  readonly durationMs: number;
  /** Of `count-calls`. */
  readonly functions?: readonly string[];
  readonly files?: readonly string[];
}

export interface CommandAnswer {
  readonly id: string;
  readonly kind: CommandKind;
  /** Ids of the processes that are asked. */
  readonly processes: readonly string[];
  readonly durationMs: number;
  /** Of `count-calls`. */
  readonly functions?: readonly string[];
  readonly files?: readonly string[];
  readonly issuedMs: number;
  /** From then on it is offered no more. */
  readonly expiresMs: number;
}
