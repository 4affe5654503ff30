import { ProfileError } from './errors.js';

/** One name and its value. */
export type Label = readonly [name: string, value: string];
/** Sorted by name, each name once. The empty set is `[]`. */
export type LabelSet = readonly Label[];

/** The label that names the transaction a sample belongs to. */
export const TRANSACTION_LABEL = 'transaction';
/** The label that names a snippet timed by `measure()`; no sample carries it. */
export const MEASURE_LABEL = 'measure';

/** Sorts by name (by UTF-16 code unit, the same on every machine); of two equal names the last wins. */
export function labelSet(labels: Iterable<Label> | Readonly<Record<string, string>>): LabelSet {
  const entries: Iterable<Label> =
    Symbol.iterator in labels ? (labels as Iterable<Label>) : Object.entries(labels as Record<string, string>);
  return [...new Map(entries)].sort((a, b) => (a[0] < b[0] ? -1 : 1));
}

/** A text that two label sets share only if they are equal. */
export function labelSetKey(labels: LabelSet): string {
  return JSON.stringify(labels);
}

/** The value of one label; `undefined` where the set has no such label. */
export function labelValue(labels: LabelSet, name: string): string | undefined {
  return labels.find((label) => label[0] === name)?.[1];
}

/** @throws {ProfileError} `LABEL_SET_ORDER` if a name repeats or is out of order */
export function assertLabelSet(labels: LabelSet): void {
  for (let at = 1; at < labels.length; at += 1) {
    if (!(labels[at - 1]![0] < labels[at]![0])) {
      throw new ProfileError('LABEL_SET_ORDER', `label "${labels[at]![0].slice(0, 80)}" repeats or is out of order`);
    }
  }
}
