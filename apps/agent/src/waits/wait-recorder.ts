import type { DurationMs } from '@hearth/profile-model';
import type { Guard } from '../safety/guard.js';
import type { Scope } from '../transactions/transaction.js';
import type { TransactionPeriod } from '../transactions/transaction-period.js';
import type { TransactionTracker } from '../transactions/transaction-tracker.js';
import { CaptureBudget } from './capture-budget.js';
import { captureStack, functionsOfStack, type CapturedStack } from './capture-stack.js';
import { OperationTable, type OperationIndex } from './operation-table.js';
import { isQuiet } from './quietly.js';
import { WaitLedger, type SeenStack, type WaitPeriod } from './wait-ledger.js';

/** One operation that has begun. */
export interface Wait {
  readonly operation: OperationIndex;
  readonly scope: Scope | undefined;
  readonly startMs: number;
  /** How many operations its stack stands for; 0 without one. */
  weight: number;
  captured: CapturedStack | undefined;
  hasEnded: boolean;
}

/** Where not all are captured: waits that are always kept once they are; of shorter ones a part in proportion to their length, so that each kept one stands for this long. */
const KEEP_ABOVE_MS: DurationMs = 10;
/** Captured stacks of operations that have not ended. */
const MAX_OPEN_CAPTURES = 2_000;
/** An operation that has not ended by then may never end: its stack is let go. */
const FORGET_CAPTURE_AFTER_MS: DurationMs = 600_000;

/** Times operations from their beginning to their end, for the transaction and by the caller's stack. Never throws. */
export class WaitRecorder {
  readonly operations = new OperationTable();
  readonly #tracker: TransactionTracker;
  readonly #guard: Guard;
  readonly #budget: CaptureBudget;
  readonly #ledger: WaitLedger;
  /** In the order of their beginning. */
  readonly #openCaptures = new Set<Wait>();
  #isRunning = true;

  constructor(tracker: TransactionTracker, guard: Guard, periodMs: DurationMs) {
    this.#tracker = tracker;
    this.#guard = guard;
    this.#budget = new CaptureBudget(periodMs);
    this.#ledger = new WaitLedger(this.operations, () => tracker.period);
    tracker.onEnded = (transaction) => this.#ledger.transactionEnded(transaction);
  }

  /**
   * Call it synchronously where the host asks for the operation: what is current then, and who calls, is what the wait is filed under.
   *
   * @param detail - With the library the operation's name: one of few, and never with a value in it.
   * @param hideAbove - The innermost function of ours or of the library that no stack should show.
   * @param where - `transactions`: nothing is recorded outside of one.
   * @returns What `end` takes; `undefined` where nothing is recorded.
   */
  begin(
    library: string,
    detail: string,
    hideAbove: (...args: never[]) => unknown,
    where: 'everywhere' | 'transactions' = 'everywhere',
  ): Wait | undefined {
    if (!this.#isRunning || isQuiet()) return undefined;
    try {
      const scope = this.#tracker.wiring.current();
      if (where === 'transactions' && scope?.transaction === undefined) return undefined;
      const startMs = performance.now();
      const operation = this.operations.rowOf(library, detail);
      const wait: Wait = { operation, scope, startMs, weight: 0, captured: undefined, hasEnded: false };
      const weight = this.#openCaptures.size < MAX_OPEN_CAPTURES ? this.#budget.draw(startMs) : 0;
      if (weight > 0) {
        wait.captured = captureStack(hideAbove);
        wait.weight = weight;
        this.#openCaptures.add(wait);
      }
      return wait;
    } catch (fault) {
      this.#guard.report(fault);
      return undefined;
    }
  }

  /** Its second end is none. */
  end(wait: Wait | undefined): void {
    if (wait === undefined || wait.hasEnded || !this.#isRunning) return;
    wait.hasEnded = true;
    try {
      const endMs = performance.now();
      this.#ledger.add({
        operation: wait.operation,
        scope: wait.scope,
        startMs: wait.startMs,
        endMs,
        stack: this.#keep(wait, endMs),
      });
    } catch (fault) {
      this.#guard.report(fault);
    }
  }

  endPeriod(period: TransactionPeriod, isLast: boolean): WaitPeriod {
    const nowMs = performance.now();
    for (const wait of this.#openCaptures) {
      if (nowMs - wait.startMs < FORGET_CAPTURE_AFTER_MS) break;
      this.#forget(wait);
    }
    return this.#ledger.endPeriod(period, isLast);
  }

  /** What begins or ends from now on is not recorded. */
  stop(): void {
    this.#isRunning = false;
    this.#tracker.onEnded = undefined;
    this.#openCaptures.clear();
  }

  #keep(wait: Wait, endMs: number): SeenStack | undefined {
    const { captured, weight } = wait;
    if (captured === undefined) return undefined;
    this.#forget(wait);
    const ms = endMs - wait.startMs;
    // Few enough that all are captured: then all are kept.
    if (weight === 1) return { framesRootFirst: functionsOfStack(captured), weight: ms };
    if (ms < KEEP_ABOVE_MS && Math.random() * KEEP_ABOVE_MS >= ms) return undefined;
    return { framesRootFirst: functionsOfStack(captured), weight: Math.max(ms, KEEP_ABOVE_MS) * weight };
  }

  #forget(wait: Wait): void {
    wait.captured = undefined;
    this.#openCaptures.delete(wait);
  }
}
