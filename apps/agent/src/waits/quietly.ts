let depth = 0;

/** Runs work of the agent itself: operations that it begins before it returns are no waits of the host. */
export function quietly<Result>(work: () => Result): Result {
  depth += 1;
  try {
    return work();
  } finally {
    depth -= 1;
  }
}

export function isQuiet(): boolean {
  return depth > 0;
}
