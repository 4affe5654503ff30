import type { DurationMs } from '@hearth/profile-model';
import type { Guard } from '../safety/guard.js';
import type { TransactionPeriod } from '../transactions/transaction-period.js';
import type { TransactionTracker } from '../transactions/transaction-tracker.js';
import { CaptureBudget } from './capture-budget.js';
import { captureStack, functionsOfStack } from './capture-stack.js';
import { OpenCaptures } from './open-captures.js';
import { OperationTable } from './operation-table.js';
import { isQuiet } from './quietly.js';
import type { Wait } from './wait.js';
import { WaitLedger, type SeenStack, type WaitPeriod } from './wait-ledger.js';

/** Where not all are captured: waits that are always kept once they are; of shorter ones a part in proportion to their length, so that each kept one stands for this long. */
const KEEP_ABOVE_MS: DurationMs = 10;

/** Times operations from their beginning to their end, for the transaction and by the caller's stack. Never throws. */
export class WaitRecorder {
  readonly operations = new OperationTable();
  readonly #tracker: TransactionTracker;
  readonly #guard: Guard;
  readonly #budget: CaptureBudget;
  readonly #ledger: WaitLedger;
  readonly #openCaptures = new OpenCaptures();
  #isRunning = true;

  constructor(tracker: TransactionTracker, guard: Guard, periodMs: DurationMs) {
    this.#tracker = tracker;
    this.#guard = guard;
    this.#budget = new CaptureBudget(periodMs);
    this.#ledger = new WaitLedger(this.operations, () => tracker.period);
    tracker.onEnded = (transaction) => {
      this.#openCaptures.transactionEnded(transaction);
      this.#ledger.transactionEnded(transaction);
    };
  }

  /**
   * Call it synchronously where the host asks for the operation: what is current then, and who calls, is what the wait is filed under.
   *
   * @param detail - With the library the operation's name: one of few, and never with a value in it.
   * @param hideAbove - The innermost function of ours or of the library that no stack should show.
   * @param where - `transactions`: nothing is recorded outside of one that runs, and no stack is kept beyond its end.
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
      const within = where === 'transactions' ? scope?.transaction : undefined;
      if (where === 'transactions' && (within === undefined || within.outcome !== undefined)) return undefined;
      const startMs = performance.now();
      const operation = this.operations.rowOf(library, detail);
      const wait: Wait = { operation, scope, startMs, weight: 0, captured: undefined, hasEnded: false };
      const weight = this.#budget.draw(startMs);
      if (weight > 0) {
        wait.captured = captureStack(hideAbove);
        wait.weight = weight;
        this.#openCaptures.add(wait, within);
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

  /** It is none after all: it will not end, or is nothing that was waited for. */
  drop(wait: Wait): void {
    wait.hasEnded = true;
    this.#openCaptures.forget(wait);
  }

  endPeriod(period: TransactionPeriod, isLast: boolean): WaitPeriod {
    this.#openCaptures.forgetOld(performance.now());
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
    this.#openCaptures.forget(wait);
    const ms = endMs - wait.startMs;
    // Few enough that all are captured: then all are kept.
    if (weight === 1) return { framesRootFirst: functionsOfStack(captured), weight: ms };
    if (ms < KEEP_ABOVE_MS && Math.random() * KEEP_ABOVE_MS >= ms) return undefined;
    return { framesRootFirst: functionsOfStack(captured), weight: Math.max(ms, KEEP_ABOVE_MS) * weight };
  }
}
