import { storableText, type Label } from '@hearth/profile-model';

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
 */
export function cleanLabels(labels: Labels | null | undefined): Label[] {
  if (typeof labels !== 'object' || labels === null) return [];
  const clean: Label[] = [];
  for (const [name, value] of Object.entries(labels)) {
    if (clean.length === MAX_LABELS) break;
    const text = valueText(value);
    if (text !== undefined && name !== '') clean.push([shortText(name, MAX_LABEL_NAME_LENGTH), text]);
  }
  return clean;
}

/** The name of a transaction or span, however the host gives it. */
export function cleanName(name: unknown): string {
  const text = valueText(name as LabelValue);
  return text === undefined || text === '' ? '(unnamed)' : text;
}

function valueText(value: LabelValue): string | undefined {
  if (typeof value === 'string') return shortText(value, MAX_VALUE_LENGTH);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return shortText(String(value), MAX_VALUE_LENGTH);
  return undefined;
}

/** Cut before it is cleaned, so that a huge text costs nothing; a surrogate cut in two is cleaned away. */
export function shortText(text: string, maxLength: number): string {
  return storableText(text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`);
}
