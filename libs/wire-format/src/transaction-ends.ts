export type Outcome = 'ok' | 'error' | 'timeout' | 'aborted';
/** In the order of their numbers on the wire: add at the end only. The same holds for the other lists. */
export const OUTCOMES: readonly Outcome[] = ['ok', 'error', 'timeout', 'aborted'];

/** `http`: an incoming request. `custom`: made by `transaction()`. */
export type TransactionKind = 'http' | 'custom';
export const TRANSACTION_KINDS: readonly TransactionKind[] = ['http', 'custom'];
/** What is counted with its durations: transactions, and snippets timed by `measure()`, which are no scope of samples. Their durations are in nanoseconds. */
export type CountedKind = TransactionKind | 'measure';
export const COUNTED_KINDS: readonly CountedKind[] = [...TRANSACTION_KINDS, 'measure'];
