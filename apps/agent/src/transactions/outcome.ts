import type { Outcome } from '@hearth/wire-format';

/** What an error that ended a transaction says about it: `timeout` and `aborted` by its name or code, as Node and the Web name theirs. */
export function outcomeOfError(error: unknown): Outcome {
  const { name, code } = (typeof error === 'object' && error !== null ? error : {}) as { name?: unknown; code?: unknown };
  if (name === 'TimeoutError' || code === 'ETIMEDOUT') return 'timeout';
  if (name === 'AbortError' || code === 'ABORT_ERR') return 'aborted';
  return 'error';
}
