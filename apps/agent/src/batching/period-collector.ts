import type { DurationMs, EpochMs } from '@hearth/profile-model';
import type { Batch, BatchProcess, BatchProfile, Exemplar } from '@hearth/wire-format';
import { ExemplarSamples } from '../exemplars/exemplar-samples.js';
import { packExemplars } from '../exemplars/pack-exemplars.js';
import type { OwnCost } from '../governor/own-cost.js';
import type { Measures } from '../measures/measures.js';
import { withMeasures } from '../measures/pack-measures.js';
import type { MemorySampler } from '../samplers/memory-sampler.js';
import type { ProcessMetrics } from '../samplers/process-metrics.js';
import { StackTables, type RawFunction } from '../samplers/stack-tables.js';
import type { MergedThreads } from '../threads/merged-threads.js';
import type { SampledPeriod, StackSampler } from '../samplers/stack-sampler.js';
import type { TransactionPeriod } from '../transactions/transaction-period.js';
import type { TransactionTracker } from '../transactions/transaction-tracker.js';
import { WaitPacker } from '../waits/pack-waits.js';
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
  stackSampler: StackSampler | undefined;
  memorySampler: MemorySampler | undefined;
  waits: WaitRecorder | undefined;
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
  #lastFlushMs: DurationMs = 0;

  /** @param onFault - A sampler failed: takes it out of the instruments. */
  constructor(instruments: Instruments, onFault: (part: InstrumentPart, fault: unknown) => void) {
    this.#instruments = instruments;
    this.#waitPacker = instruments.waits && new WaitPacker(instruments.waits.operations);
    this.#onFault = onFault;
  }

  /**
   * The period since the last call, as a batch.
   *
   * @param dropped - What the buffer lost, for the report.
   * @param ownSeries - What the agent says of itself besides.
   * @param cost - Gets what heap and waits take of the flush.
   * @param threads - What worker threads measured, to be sent with it.
   */
  endPeriod(
    batchProcess: BatchProcess,
    dropped: DroppedCounts,
    ownSeries: Batch['series'],
    isLast: boolean,
    cost: OwnCost,
    threads: MergedThreads | undefined,
  ): Batch {
    const beganAt = performance.now();
    const tables = threads?.tables ?? new StackTables();
    const sampled = this.#takeStacks(tables, isLast);
    const { startMs, durationMs } = this.#nextPeriod();
    const period = this.#instruments.tracker.endPeriod();
    const profiles = this.#instruments.stackSampler === undefined ? [] : this.#packer.packTime(sampled, tables, period, isLast);
    const stacksTakenAt = performance.now();
    profiles.push(...this.#takeMemory(tables, period));
    const memoryTakenAt = performance.now();
    profiles.push(...this.#takeWaits(tables, period, isLast));
    cost.add('heap', memoryTakenAt - stacksTakenAt);
    cost.add('waits', performance.now() - memoryTakenAt);
    const exemplars = this.#takeExemplars(tables, period, sampled.lines === 'definition');
    const series = this.#instruments.metrics?.endPeriod() ?? [];
    series.push(
      { name: 'agent_flush_micros', value: Math.round(this.#lastFlushMs * 1000) }, // of the period before: this one is not over
      ...ownSeries,
      { name: 'agent_stack_count', value: tables.stackCount },
    );
    const transactions = period.counts; // before its label sets are read
    const counted = withMeasures({ labelSets: period.labelSets.labelSets, transactions }, this.#instruments.measures.endPeriod());
    this.#sequence += 1;
    this.#lastFlushMs = performance.now() - beganAt;
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
      series,
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

  /** Time that the last batch took of the event loop besides: encoding it. */
  addFlushTime(durationMs: DurationMs): void {
    this.#lastFlushMs += durationMs;
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
      return stackSampler.endPeriod(tables, isLast, this.#exemplarSamples?.open(this.#instruments.tracker.period.slowest.all));
    } catch (fault) {
      this.#onFault('stacks', fault);
      return NOTHING_SAMPLED;
    }
  }

  #takeWaits(tables: StackTables, period: TransactionPeriod, isLast: boolean): BatchProfile[] {
    const { waits } = this.#instruments;
    if (waits === undefined || this.#waitPacker === undefined) return [];
    try {
      return this.#waitPacker.pack(waits.endPeriod(period, isLast), tables, isLast);
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
      const exemplars = packExemplars(period.slowest.all, { tables, period, leafOf, hasSamples });
      this.#exemplarSamples.keepRunning(tables);
      return exemplars;
    } catch (fault) {
      this.#exemplarSamples = undefined;
      this.#onFault('exemplars', fault);
      return [];
    }
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
