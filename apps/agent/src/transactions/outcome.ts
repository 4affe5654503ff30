import type { Outcome } from '@hearth/wire-format';

/** What an error that ended a transaction says about it: `timeout` and `aborted` by its name or code, as Node and the Web name theirs. Never throws, whatever was thrown. */
export function outcomeOfError(error: unknown): Outcome {
  try {
    const { name, code } = (typeof error === 'object' && error !== null ? error : {}) as { name?: unknown; code?: unknown };
    if (name === 'TimeoutError' || code === 'ETIMEDOUT') return 'timeout';
    if (name === 'AbortError' || code === 'ABORT_ERR') return 'aborted';
  } catch {
    // A getter of the host's, or a proxy: that it cannot be read says no more.
  }
  return 'error';
}
