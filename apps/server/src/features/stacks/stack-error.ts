/** What can be wrong with a stack dictionary. Each code has a section in docs/errors/store.md. */
export type StackErrorCode =
  'STACK_PAGE_CODEC' | 'STACK_PAGE_DAMAGED' | 'STACK_PAGE_ORDER' | 'STACK_DICTIONARY_FULL' | 'STACK_EPOCH_GONE';

/** A page or a dictionary breaks an invariant. Callers branch on `code`, never on the message. */
export class StackError extends Error {
  override readonly name = 'StackError';
  readonly code: StackErrorCode;

  constructor(code: StackErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
