/** What can be wrong with a stored block or segment, or with what is to be stored. Each code has a section in docs/errors/store.md. */
export type StoreErrorCode =
  'BATCH_COLUMNS' | 'BLOCK_CODEC' | 'BLOCK_DAMAGED' | 'SEGMENT_CODEC' | 'SEGMENT_DAMAGED' | 'SEGMENT_TOO_LARGE';

/** Callers branch on `code`, never on the message. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
