import type { Label } from '@hearth/profile-model';
import { NO_SPAN, type Outcome } from '@hearth/wire-format';
import type { Guard } from '../safety/guard.js';
import { cleanName, readLabels, type Labels } from './label-limits.js';
import { runInScope } from './run-in-scope.js';
import { runToItsEnd } from './run-to-its-end.js';
import type { Scope } from './transaction.js';
import type { TransactionTracker } from './transaction-tracker.js';

/**
 * Runs `fn` as a transaction and gives what it gives. Its errors pass through untouched; a fault of ours means that `fn`
 * runs without being measured, never that it does not run, or runs twice.
 *
 * @param handler - The host's own function: `fn`, or what that calls.
 */
export function runTransaction<Result>(
  tracker: TransactionTracker,
  guard: Guard,
  name: unknown,
  labels: Labels | undefined,
  fn: () => Result,
  handler: unknown,
): Result {
  const transaction = guard.run(
    () => tracker.begin('custom', cleanName(name), tracker.clean(labels, guard.report), handler),
    undefined,
  );
  if (transaction === undefined) return fn();
  const ended = (outcome: Outcome): void => guard.run(() => tracker.end(transaction, outcome), undefined);
  return runInScope(tracker, guard, transaction, () => runToItsEnd(fn, ended, { tracker, guard, scope: transaction }));
}

/**
 * Runs `fn` as a step of the current transaction and gives what it gives: samples inside it carry the label `span`, and an exemplar tells when it began and how it
 * ended. Without a transaction it only runs.
 */
export function runSpan<Result>(
  tracker: TransactionTracker,
  guard: Guard,
  name: unknown,
  fn: () => Result,
  inputs: Labels | undefined,
): Result {
  const span = guard.run(() => {
    const clean = inputs === undefined ? NO_INPUTS : tracker.clean(inputs, guard.report);
    return tracker.beginSpan(cleanName(name), clean);
  }, undefined);
  if (span === undefined) return fn();
  return runInScope(tracker, guard, span, () => runToItsEnd(fn, (outcome) => span.end(outcome), { tracker, guard, scope: span }));
}

const NO_INPUTS: readonly Label[] = [];

/** Runs `fn` with these labels, and those that are current, on the samples inside. */
export function runWithLabels<Result>(tracker: TransactionTracker, guard: Guard, labels: Labels, fn: () => Result): Result {
  const scope = guard.run(() => labelledScope(tracker, guard, labels, tracker.wiring.current()?.scopeLabels?.given), undefined);
  return scope === undefined ? fn() : runInScope(tracker, guard, scope, fn);
}

/** What is current, with these labels and those `around` in the place of others; what is no object has none. */
export function labelledScope(tracker: TransactionTracker, guard: Guard, labels: Labels, around?: Labels): Scope {
  const given = readLabels(Object(labels) as Labels, around, guard.report);
  return { ...scopeParts(tracker.wiring.current()), scopeLabels: { given, clean: tracker.clean(given, guard.report) } };
}

/** A transaction is a scope by itself: only these parts of it go into another. */
function scopeParts(scope: Scope | undefined): Scope {
  return {
    transaction: scope?.transaction,
    spanName: scope?.spanName,
    spanRow: scope?.spanRow ?? NO_SPAN,
    scopeLabels: scope?.scopeLabels,
  };
}
