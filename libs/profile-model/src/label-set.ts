/** One name and its value. */
export type Label = readonly [name: string, value: string];
/** Sorted by name, each name once. The empty set is `[]`. */
export type LabelSet = readonly Label[];

/** The label that names the transaction a sample belongs to. */
export const TRANSACTION_LABEL = 'transaction';
