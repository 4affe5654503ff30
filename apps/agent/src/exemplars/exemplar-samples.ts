import { MAX_EXEMPLARS, NO_SPAN } from '@hearth/wire-format';
import type { StackTables } from '../samplers/stack-tables.js';
import type { Scope, Transaction } from '../transactions/transaction.js';
import { SampleCopies } from './sample-copies.js';
import type { EndedTransaction } from './slowest-transactions.js';

/** Copies that all transactions which run on keep together. */
export const MAX_CARRIED_SAMPLES = 5_000;
/** The wall clock may have been set since the start of the process; what it is off by less is how coarse it is. */
const LEAST_DRIFT_MS = 2;

/** Called with each sample of a period that is in a scope, in the order of time. */
export type TakeSample = (scope: Scope, stackRow: number, epochMicros: number, wallMicros: number, cpuMicros: number) => void;

/** Copies the samples of transactions that are exemplars, and of the longest-running ones, which may become some. */
export class ExemplarSamples {
  /** Weak: nobody says so when a transaction is given up without an end. */
  #running: WeakRef<Transaction>[] = [];

  /**
   * To be called before the samples of a period are read.
   *
   * @param ended - What has ended in it and is an exemplar.
   * @returns Copies what belongs to one of them, or to a transaction that runs on.
   */
  open(ended: readonly EndedTransaction[]): TakeSample {
    const durationOf = new Map(ended.map(({ transaction, durationMicros }) => [transaction, durationMicros]));
    const driftMs = clockDriftMs();
    return (scope, stackRow, epochMicros, wallMicros, cpuMicros) => {
      const { transaction } = scope;
      if (transaction === undefined) return;
      const isRunning = transaction.outcome === undefined;
      const durationMicros = isRunning ? Infinity : durationOf.get(transaction);
      if (durationMicros === undefined) return;
      const afterMs = epochMicros / 1_000 - driftMs - performance.timeOrigin - transaction.startedAtMs;
      if (afterMs * 1_000 > durationMicros) return; // what it started and did not wait for
      if (transaction.copies === undefined) {
        transaction.copies = new SampleCopies();
        if (isRunning) this.#running.push(new WeakRef(transaction));
      }
      const startMicros = afterMs * 1_000;
      const spanRow = transaction.record === undefined ? NO_SPAN : scope.spanRow;
      transaction.copies.add({ startMicros, wallMicros, cpuMicros, spanRow, stackRow, framesRootFirst: undefined });
    };
  }

  /**
   * After the exemplars of the period have been made: keeps the copies of those that run longest, with their own frames.
   *
   * @param endedSince - Exemplars of the next period that have ended by now.
   */
  keepRunning(tables: StackTables, endedSince: readonly EndedTransaction[]): void {
    const known = this.#running.flatMap((one) => one.deref() ?? []);
    const since = new Set(endedSince.map(({ transaction }) => transaction));
    const running = known
      .filter((one) => one.outcome === undefined || since.has(one))
      .sort((a, b) => a.startedAtMs - b.startedAtMs);
    const kept = new Set(running.slice(0, MAX_EXEMPLARS));
    for (const one of known) if (!kept.has(one)) one.copies = undefined;
    this.#running = [...kept].map((one) => new WeakRef(one));
    const copies = [...kept].flatMap((one) => one.copies ?? []);
    while (copies.reduce((sum, { rows }) => sum + rows.length, 0) > MAX_CARRIED_SAMPLES) for (const one of copies) one.thin();
    keepFrames(copies, tables);
  }
}

/** Puts frames in the place of rows; samples of one stack share them. */
function keepFrames(copies: readonly SampleCopies[], tables: StackTables): void {
  const toKeep = copies.flatMap(({ rows }) => rows.filter(({ framesRootFirst }) => framesRootFirst === undefined));
  const stackRows = [...new Set(toKeep.map(({ stackRow }) => stackRow))];
  const frames = tables.framesRootFirst(stackRows);
  const framesOf = new Map(stackRows.map((stackRow, at) => [stackRow, frames[at]!]));
  for (const sample of toKeep) sample.framesRootFirst = framesOf.get(sample.stackRow);
}

/** By how much the wall clock, which samples are taken by, is ahead of the one that transactions are timed by. */
function clockDriftMs(): number {
  const driftMs = Date.now() + 0.5 - (performance.timeOrigin + performance.now());
  return Math.abs(driftMs) < LEAST_DRIFT_MS ? 0 : driftMs;
}
