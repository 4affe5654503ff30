import { HearthError, toHearthError } from '../../platform/http/index.js';

/** The error as its sender is told of it, and as it is counted: errors of the store and of the dictionary carry a code; what has none is ours. */
export function knownFault(error: unknown): HearthError {
  return storeFault(error) ?? toHearthError(error);
}

/** What was sent is itself at fault, and sending it again would not help. */
function storeFault(error: unknown): HearthError | undefined {
  const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
  // A damaged dictionary (other codes of StackError) is ours to repair: the sender must keep its batch.
  if (name !== 'StoreError' && code !== 'STACK_DICTIONARY_FULL') return undefined;
  return new HearthError(String(code), String(message), { cause: error });
}
