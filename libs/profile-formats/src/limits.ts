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
  /** Label sets: whoever stores them makes a row of each. */
  readonly maxLabelSets: number;
  /** Labels of one sample that have a text. */
  readonly maxLabels: number;
  /** Characters of all label sets together: a short file can name long texts many times. */
  readonly maxLabelCharacters: number;
}

export const DEFAULT_FORMAT_LIMITS: FormatLimits = {
  maxBytes: 64 * 2 ** 20,
  maxRows: 1_000_000,
  maxDepth: 20_000,
  maxFrames: 20_000_000,
  // As in a batch of the agent.
  maxLabelSets: 4_096,
  maxLabels: 64,
  maxLabelCharacters: 2 ** 25,
};

/** @throws {FormatError} `FORMAT_LIMIT` */
export function assertWithin(count: number, limit: number, what: string): void {
  if (count > limit) throw new FormatError('FORMAT_LIMIT', `${count} ${what}, ${limit} allowed`);
}

/** Longest name or file kept; what is cut ends in an ellipsis. */
const MAX_NAME_LENGTH = 4096;
/** Longest name or value of a label kept, as in a batch of the agent: each of thousands of label sets may name the same text. */
export const MAX_LABEL_LENGTH = 1024;

export function shortened(text: string, maxLength = MAX_NAME_LENGTH): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`;
}
