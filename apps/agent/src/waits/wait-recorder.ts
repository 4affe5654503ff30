import type { DurationMs } from '@hearth/profile-model';
import { SampledCost, type OwnCost } from '../governor/own-cost.js';
import type { Guard } from '../safety/guard.js';
import { lookLike } from '../safety/look-like.js';
import type { TransactionPeriod } from '../transactions/transaction-period.js';
import type { TransactionTracker } from '../transactions/transaction-tracker.js';
import { CaptureBudget } from './capture-budget.js';
import { captureStack, functionsOfStack } from './capture-stack.js';
import type { KnownCallers, SeenStack } from './known-callers.js';
import { OpenCaptures } from './open-captures.js';
import { OperationTable } from './operation-table.js';
import type { HostFunction } from './patch-method.js';
import { isQuiet } from './quietly.js';
import type { Wait } from './wait.js';
import { WaitLedger, type WaitPeriod } from './wait-ledger.js';

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
  readonly #cost: OwnCost;
  readonly #timing: SampledCost;
  #isRunning = true;
  #isResting = false;

  /** @param cost - Where it says what it takes of the host. */
  constructor(tracker: TransactionTracker, guard: Guard, periodMs: DurationMs, cost: OwnCost) {
    this.#cost = cost;
    this.#timing = new SampledCost(cost, 'waits');
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
    if (!this.#isRunning || this.#isResting || isQuiet()) return undefined;
    const startMs = performance.now();
    const timed = this.#timing.begin();
    try {
      const scope = this.#tracker.wiring.current();
      const within = where === 'transactions' ? scope?.transaction : undefined;
      if (where === 'transactions' && (within === undefined || within.outcome !== undefined)) return undefined;
      if (scope?.transaction !== undefined) this.#tracker.rememberTrace(scope.transaction);
      const operation = this.operations.rowOf(library, detail);
      const wait: Wait = { operation, scope, startMs, weight: 0, captured: undefined, captureMs: 0, hasEnded: false };
      const weight = this.#budget.draw(startMs);
      if (weight > 0) {
        wait.captured = captureStack(hideAbove);
        wait.weight = weight;
        this.#openCaptures.add(wait, within);
        wait.captureMs = performance.now() - startMs;
        this.#cost.add('waits', wait.captureMs); // each, because few and dear
      } else {
        this.#timing.end(timed);
      }
      return wait;
    } catch (fault) {
      this.#guard.report(fault);
      return undefined;
    }
  }

  /** Says what it is called, where that was not known at its beginning. */
  name(wait: Wait, library: string, detail: string): void {
    wait.operation = this.operations.rowOf(library, detail);
  }

  /** The same operation once more, by itself: filed as it was, from now on, without a stack. */
  again(wait: Wait): Wait {
    return { ...wait, startMs: performance.now(), weight: 0, captured: undefined, hasEnded: false };
  }

  /** Its second end is none. */
  end(wait: Wait | undefined): void {
    if (wait === undefined || wait.hasEnded || !this.#isRunning) return;
    wait.hasEnded = true;
    try {
      const endMs = performance.now();
      const isCaptured = wait.captured !== undefined;
      const timed = isCaptured ? 0 : this.#timing.begin();
      const ended = {
        operation: wait.operation,
        scope: wait.scope,
        startMs: wait.startMs,
        endMs,
        stack: this.#keep(wait, endMs),
      };
      this.#ledger.add(ended);
      this.#tracker.addWait(ended);
      if (!isCaptured) return this.#timing.end(timed);
      const keptMs = performance.now() - endMs;
      this.#cost.add('waits', keptMs);
      this.#budget.took(wait.captureMs + keptMs);
    } catch (fault) {
      this.#guard.report(fault);
    }
  }

  /**
   * The host's callback, which ends the wait and then runs where the call was made. Libraries call it from a connection, in the context of whoever opened that, or
   * gave it back to its pool.
   */
  callback(wait: Wait, callback: HostFunction): HostFunction {
    const ended = (self: unknown, args: unknown[]): unknown => {
      this.end(wait);
      if (!this.#isRunning) return callback.apply(self, args);
      return this.#guard.through(
        (inner) => this.#tracker.wiring.run(wait.scope, inner),
        () => callback.apply(self, args),
      );
    };
    const ours: HostFunction = function (this: unknown, ...args) {
      return ended(this, args);
    };
    return lookLike(ours, callback);
  }

  /** It is none after all: it will not end, or is nothing that was waited for. */
  drop(wait: Wait): void {
    wait.hasEnded = true;
    this.#openCaptures.forget(wait);
  }

  get callers(): KnownCallers {
    return this.#ledger.callers;
  }

  /** @param captures - Part of the stacks that are captured otherwise. @param waits - `off`: what begins from now on is not recorded. */
  lower(captures: number, waits: 'on' | 'off'): void {
    this.#budget.allow(captures);
    this.#isResting = waits === 'off';
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
