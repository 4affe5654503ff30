import { StoreError, type StoreErrorCode } from './store-error.js';

/** An error that crosses threads loses its code, so a coded one travels as a value. */
export type CodedOutcome<Result> = { readonly result: Result } | { readonly code: StoreErrorCode; readonly message: string };

export function codedOutcome<Result>(work: () => Result): CodedOutcome<Result> {
  try {
    return { result: work() };
  } catch (error) {
    if (error instanceof StoreError) return { code: error.code, message: error.message };
    throw error;
  }
}

/** @throws {StoreError} */
export function resultOf<Result>(outcome: CodedOutcome<Result>): Result {
  if ('result' in outcome) return outcome.result;
  throw new StoreError(outcome.code, outcome.message);
}
