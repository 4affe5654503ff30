export type Outcome = 'ok' | 'error' | 'timeout' | 'aborted';
/** In the order of their numbers on the wire: add at the end only. The same holds for the other lists. */
export const OUTCOMES: readonly Outcome[] = ['ok', 'error', 'timeout', 'aborted'];

/** `http`: an incoming request. `custom`: made by `transaction()`. */
export type TransactionKind = 'http' | 'custom';
export const TRANSACTION_KINDS: readonly TransactionKind[] = ['http', 'custom'];
