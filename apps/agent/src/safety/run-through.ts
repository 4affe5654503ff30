/**
 * Runs the host's `fn` inside something of ours, exactly once, and gives its value or its error. If what is ours fails, before or
 * after, `fn` has still run once and its result is kept.
 *
 * @param around - Ours: calls what it is given, synchronously.
 */
export function runThrough<Result>(
  around: (inner: () => void) => void,
  fn: () => Result,
  onFault: (fault: unknown) => void,
): Result {
  let state: 'before' | 'running' | 'returned' | 'threw' = 'before';
  let value: Result | undefined;
  let thrown: unknown;
  try {
    around(() => {
      state = 'running';
      try {
        value = fn();
        state = 'returned';
      } catch (error) {
        thrown = error;
        state = 'threw';
      }
    });
  } catch (fault) {
    onFault(fault);
  }
  switch (state as 'before' | 'running' | 'returned' | 'threw') {
    case 'before':
      return fn();
    case 'threw':
      throw thrown;
    case 'running':
    case 'returned':
      return value as Result;
  }
}
