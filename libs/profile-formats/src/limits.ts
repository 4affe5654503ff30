import { FormatError } from './errors.js';

/** What one file may take. Beyond any of them it is refused with `FORMAT_LIMIT`. */
export interface FormatLimits {
  /** Bytes of the file, and bytes it becomes when it is inflated. */
  readonly maxBytes: number;
  /** Rows of each table: samples, functions, locations, texts, nodes, lines. */
  readonly maxRows: number;
  /** Frames of one stack. */
  readonly maxDepth: number;
  /** Frames of all stacks together: a short file can name long stacks many times. */
  readonly maxFrames: number;
}

export const DEFAULT_FORMAT_LIMITS: FormatLimits = {
  maxBytes: 64 * 2 ** 20,
  maxRows: 1_000_000,
  maxDepth: 20_000,
  maxFrames: 20_000_000,
};

/** @throws {FormatError} `FORMAT_LIMIT` */
export function assertWithin(count: number, limit: number, what: string): void {
  if (count > limit) throw new FormatError('FORMAT_LIMIT', `${count} ${what}, ${limit} allowed`);
}

/** Longest name, file or label kept; what is cut ends in an ellipsis. */
const MAX_NAME_LENGTH = 4096;

export function shortened(text: string): string {
  return text.length <= MAX_NAME_LENGTH ? text : `${text.slice(0, MAX_NAME_LENGTH - 1)}…`;
}
