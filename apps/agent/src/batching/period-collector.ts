import type { DurationMs, EpochMs } from '@hearth/profile-model';
import type { Batch, BatchProcess, BatchProfile, Exemplar } from '@hearth/wire-format';
import { packCalls, type CountedCalls } from '../calls/pack-calls.js';
import { ExemplarSamples } from '../exemplars/exemplar-samples.js';
import { packExemplars } from '../exemplars/pack-exemplars.js';
import type { OwnCost } from '../governor/own-cost.js';
import type { LostContext } from '../lost-context/lost-context.js';
import type { MeasuredRuns, Measures } from '../measures/measures.js';
import { withMeasures } from '../measures/pack-measures.js';
import type { MemorySampler } from '../samplers/memory-sampler.js';
import type { ProcessMetrics } from '../samplers/process-metrics.js';
import { StackTables, type RawFunction } from '../samplers/stack-tables.js';
import type { MergedThreads } from '../threads/merged-threads.js';
import type { SampledPeriod, StackSampler } from '../samplers/stack-sampler.js';
import type { TransactionPeriod } from '../transactions/transaction-period.js';
import type { TransactionTracker } from '../transactions/transaction-tracker.js';
import { WaitPacker } from '../waits/pack-waits.js';
import type { WaitPeriod } from '../waits/wait-ledger.js';
import type { WaitRecorder } from '../waits/wait-recorder.js';
import type { DroppedCounts } from './batch-buffer.js';
import { SamplePacker, packMemory } from './pack-samples.js';

/** A part that is given up when it fails. */
export type InstrumentPart = 'stacks' | 'heap' | 'waits' | 'exemplars';

/** What measures; a part that could not start, or has failed, is missing. */
export interface Instruments {
  tracker: TransactionTracker;
  readonly measures: Measures;
  /** Of the main thread: they are the process'. */
  readonly metrics: ProcessMetrics | undefined;
  /** Of the main thread, where single functions are known. */
  lostContext: LostContext | undefined;
  stackSampler: StackSampler | undefined;
  memorySampler: MemorySampler | undefined;
  waits: WaitRecorder | undefined;
  /** Counted on demand, to be sent with the period that runs. */
  calls: CountedCalls | undefined;
}

/** What was measured in one period, as the instruments gave it. */
export interface EndedPeriod {
  readonly startMs: EpochMs;
  readonly durationMs: DurationMs;
  readonly isLast: boolean;
  readonly threads: MergedThreads | undefined;
  readonly tables: StackTables;
  readonly sampled: SampledPeriod;
  readonly hasStacks: boolean;
  readonly period: TransactionPeriod;
  readonly waits: WaitPeriod | undefined;
  readonly measured: readonly MeasuredRuns[];
  readonly series: Batch['series'];
}

const NOTHING_SAMPLED: SampledPeriod = { rows: [], lines: 'none', wasRestarted: false };

/** Ends periods: takes what each instrument measured and makes it one batch, so that a loss is never lopsided. */
export class PeriodCollector {
  readonly #instruments: Instruments;
  readonly #onFault: (part: InstrumentPart, fault: unknown) => void;
  readonly #waitPacker: WaitPacker | undefined;
  readonly #packer = new SamplePacker();
  /** `undefined` once it has failed. */
  #exemplarSamples: ExemplarSamples | undefined = new ExemplarSamples();
  #sequence = 0;
  #startedAtMs: EpochMs = Date.now();
  #startedAt = performance.now();

  /** @param onFault - A sampler failed: takes it out of the instruments. */
  constructor(instruments: Instruments, onFault: (part: InstrumentPart, fault: unknown) => void) {
    this.#instruments = instruments;
    this.#waitPacker = instruments.waits && new WaitPacker(instruments.waits.operations);
    this.#onFault = onFault;
  }

  /**
   * Ends the period since the last call, and begins the next. What it takes is of this moment; making a batch of it may wait.
   *
   * @param threads - What worker threads measured, to be sent with it.
   * @param cost - Gets what waits take of it.
   */
  endPeriod(isLast: boolean, threads: MergedThreads | undefined, cost: OwnCost): EndedPeriod {
    const tables = threads?.tables ?? new StackTables();
    const times = this.#nextPeriod(); // where the sampler's begins, too
    const sampled = this.#takeStacks(tables, isLast);
    const hasStacks = this.#instruments.stackSampler !== undefined; // it may have failed just now
    const period = this.#instruments.tracker.endPeriod();
    const stacksTakenAt = performance.now();
    const waits = this.#takeWaits(period, isLast);
    cost.add('waits', performance.now() - stacksTakenAt);
    const measured = this.#instruments.measures.endPeriod();
    const series = this.#instruments.metrics?.endPeriod() ?? [];
    return { ...times, isLast, threads, tables, sampled, hasStacks, period, waits, measured, series };
  }

  /**
   * @param ended - Each once, in their order.
   * @param dropped - What the buffer lost, for the report.
   * @param ownSeries - What the agent says of itself besides.
   * @param cost - Gets what heap and waits take of it.
   */
  pack(
    { startMs, durationMs, isLast, threads, tables, sampled, hasStacks, period, waits, measured, series }: EndedPeriod,
    batchProcess: BatchProcess,
    dropped: DroppedCounts,
    ownSeries: Batch['series'],
    cost: OwnCost,
  ): Batch {
    const profiles = hasStacks ? this.#packer.packTime(sampled, tables, period, isLast, this.#instruments.lostContext) : [];
    // A period of lines says nothing of who calls what; the one before it was ended as a last one.
    const isJudged = hasStacks && sampled.lines === 'definition';
    const lost = isJudged ? (this.#instruments.lostContext?.endPeriod(isLast) ?? []) : [];
    const stacksPackedAt = performance.now();
    profiles.push(...this.#takeMemory(tables, period));
    const memoryTakenAt = performance.now();
    profiles.push(...this.#packWaits(waits, tables, isLast));
    profiles.push(...this.#takeCalls(tables, period));
    cost.add('heap', memoryTakenAt - stacksPackedAt);
    cost.add('waits', performance.now() - memoryTakenAt);
    const exemplars = this.#takeExemplars(tables, period, sampled.lines === 'definition');
    const transactions = period.counts; // before its label sets are read
    const counted = withMeasures({ labelSets: period.labelSets.labelSets, transactions }, measured);
    this.#sequence += 1;
    return {
      process: batchProcess,
      sequence: this.#sequence,
      startMs,
      durationMs,
      functions: tables.functionTable(),
      stacks: tables.stackTable(),
      labelSets: counted.labelSets,
      profiles: threads === undefined ? profiles : threads.addTo(profiles),
      transactions: counted.transactions,
      series: [...series, ...ownSeries, ...lost, { name: 'agent_stack_count', value: tables.stackCount }],
      report: {
        droppedBatches: dropped.batches,
        droppedSamples: dropped.samples,
        lateLabels: period.lateLabels,
        foldedLabelSets: period.labelSets.foldedCount,
        restartedSamplers: sampled.wasRestarted ? 1 : 0,
      },
      exemplars: threads === undefined ? exemplars : threads.exemplarsBeside(exemplars),
    };
  }

  /** Periods touch: the next begins where this one ends. The wall clock may jump; durations are of the monotonic one. */
  #nextPeriod(): { startMs: EpochMs; durationMs: DurationMs } {
    const now = performance.now();
    const period = { startMs: this.#startedAtMs, durationMs: Math.max(1, Math.round(now - this.#startedAt)) };
    this.#startedAtMs = Date.now();
    this.#startedAt = now;
    return period;
  }

  #takeStacks(tables: StackTables, isLast: boolean): SampledPeriod {
    const { stackSampler } = this.#instruments;
    if (stackSampler === undefined) return NOTHING_SAMPLED;
    try {
      const { tracker } = this.#instruments;
      return stackSampler.endPeriod(
        tables,
        isLast,
        this.#exemplarSamples?.open(tracker.period.slowest.all),
        tracker.handlers?.ranges,
      );
    } catch (fault) {
      this.#onFault('stacks', fault);
      return NOTHING_SAMPLED;
    }
  }

  #takeWaits(period: TransactionPeriod, isLast: boolean): WaitPeriod | undefined {
    try {
      return this.#instruments.waits?.endPeriod(period, isLast);
    } catch (fault) {
      this.#onFault('waits', fault);
      return undefined;
    }
  }

  #packWaits(waits: WaitPeriod | undefined, tables: StackTables, isLast: boolean): BatchProfile[] {
    if (waits === undefined || this.#waitPacker === undefined) return [];
    try {
      return this.#waitPacker.pack(waits, tables, isLast);
    } catch (fault) {
      this.#onFault('waits', fault);
      return [];
    }
  }

  /** After all that is counted: their stacks and label sets come last. */
  #takeExemplars(tables: StackTables, period: TransactionPeriod, hasSamples: boolean): Exemplar[] {
    if (this.#exemplarSamples === undefined) return [];
    try {
      const leafOf = (operation: number): RawFunction => this.#waitPacker!.leafOf(operation); // without it there are no waits
      const callers = this.#instruments.waits?.callers;
      const exemplars = packExemplars(period.slowest.all, {
        tables,
        period,
        leafOf,
        callerOf: (operation, transaction, span) => callers?.onlyOneOf(operation, transaction, span),
        hasSamples,
      });
      this.#exemplarSamples.keepRunning(tables, this.#instruments.tracker.period.slowest.all);
      return exemplars;
    } catch (fault) {
      this.#exemplarSamples = undefined;
      this.#onFault('exemplars', fault);
      return [];
    }
  }

  #takeCalls(tables: StackTables, period: TransactionPeriod): BatchProfile[] {
    const { calls } = this.#instruments;
    this.#instruments.calls = undefined;
    return calls === undefined ? [] : [packCalls(calls, tables, period.rowOfScope(undefined))];
  }

  #takeMemory(tables: StackTables, period: TransactionPeriod): BatchProfile[] {
    const { memorySampler } = this.#instruments;
    if (memorySampler === undefined) return [];
    try {
      return packMemory(memorySampler.read(tables), memorySampler.measures, period);
    } catch (fault) {
      this.#onFault('heap', fault);
      return [];
    }
  }
}

/** Raw samples in a batch, to say what is lost with it. */
export function countSamples(batch: Batch): number {
  const wall = batch.profiles.find(({ typeId }) => typeId.startsWith('wall:'));
  return wall === undefined ? 0 : wall.sampleCount.reduce((sum, count) => sum + count, 0);
}
