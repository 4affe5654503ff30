import { storableText, type Label } from '@hearth/profile-model';
import { flatText } from '../waits/flat-text.js';
import type { LabelRules } from './label-rules.js';

/** A label's value as the host may give it. */
export type LabelValue = string | number | boolean | bigint | null | undefined;
/** Labels as the host gives them; a value of `null` or `undefined` is left out. */
export type Labels = Readonly<Record<string, LabelValue>>;

/** Labels of one transaction; what comes after is left out. */
export const MAX_LABELS = 32;
/** Characters (UTF-16) of a label's value or a transaction's name; the rest becomes an ellipsis. */
export const MAX_VALUE_LENGTH = 200;
/** Characters of a label's name. */
export const MAX_LABEL_NAME_LENGTH = 100;

/**
 * The host's labels as texts that every store can hold, at most `MAX_LABELS` and none too long. Whatever is no string, number or
 * boolean is left out: an object would say `[object Object]`.
 *
 * @param rules - What the host forbids.
 * @param report - Told of each label that throws; those that are fine are kept.
 */
export function cleanLabels(
  labels: Labels | null | undefined,
  rules?: LabelRules,
  report: (fault: unknown) => void = rethrow,
): Label[] {
  if (typeof labels !== 'object' || labels === null) return [];
  const clean: Label[] = [];
  // Keys and not entries: a fourth of their time, and no value is asked for that is not kept.
  for (const name of namesOf(labels, report)) {
    if (clean.length === MAX_LABELS) break;
    try {
      const given = valueText(labels[name]);
      if (given === undefined || name === '') continue;
      const short = shortText(name, MAX_LABEL_NAME_LENGTH);
      const text = rules === undefined ? given : rules.apply(short, given);
      if (text !== undefined) clean.push([short, shortText(text, MAX_VALUE_LENGTH)]);
    } catch (fault) {
      report(fault);
    }
  }
  return clean;
}

/**
 * Labels as the host gives them, each read once; one that throws is left out.
 *
 * @param around - What these are added to, and win over. Beyond 32 in all, new ones are left out.
 * @param report - Told of each label that throws.
 */
export function readLabels(labels: Labels, around: Labels | undefined, report: (fault: unknown) => void): Labels {
  const read = new Map(Object.entries(around ?? {}));
  for (const name of namesOf(labels, report)) {
    if (!read.has(name) && read.size >= MAX_LABELS) continue;
    try {
      read.set(name, labels[name]);
    } catch (fault) {
      report(fault);
    }
  }
  return Object.fromEntries(read);
}

function rethrow(fault: unknown): never {
  throw fault;
}

function namesOf(labels: Labels, report: (fault: unknown) => void): readonly string[] {
  try {
    return Object.keys(labels);
  } catch (fault) {
    report(fault);
    return [];
  }
}

/** The name of a transaction or span, however the host gives it. */
export function cleanName(name: unknown): string {
  const text = valueText(name as LabelValue);
  return text === undefined || text === '' ? '(unnamed)' : shortText(text, MAX_VALUE_LENGTH);
}

/** Beyond it a number takes time to be written. */
const LARGEST = 10n ** BigInt(MAX_VALUE_LENGTH);

/** Not cut yet. */
function valueText(value: LabelValue): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return value < LARGEST && value > -LARGEST ? String(value) : undefined;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** Cut before it is cleaned, so that a huge text costs nothing, and is not kept alive by its beginning; a surrogate cut in two is cleaned away. */
export function shortText(text: string, maxLength: number): string {
  return storableText(text.length <= maxLength ? text : flatText(`${text.slice(0, maxLength - 1)}…`));
}
