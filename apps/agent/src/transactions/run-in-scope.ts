import type { Guard } from '../safety/guard.js';
import type { Scope } from './transaction.js';
import type { TransactionTracker } from './transaction-tracker.js';

/** @param scope - `undefined`: in no transaction. */
export function runInScope<Result>(
  tracker: TransactionTracker,
  guard: Guard,
  scope: Scope | undefined,
  fn: () => Result,
): Result {
  return guard.through((inner) => tracker.wiring.run(scope, inner), fn);
}
