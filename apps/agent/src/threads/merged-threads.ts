import { MEASURE_LABEL, NO_PARENT, TRANSACTION_LABEL, labelSet, labelValue, type LabelSet } from '@hearth/profile-model';
import { MAX_CONTEXT_LABELS, MAX_EXEMPLARS, type BatchProfile, type Exemplar } from '@hearth/wire-format';
import { SampleColumns } from '../batching/sample-columns.js';
import type { Measures } from '../measures/measures.js';
import { StackTables } from '../samplers/stack-tables.js';
import type { TransactionPeriod } from '../transactions/transaction-period.js';
import { THREAD_LABEL, type ThreadBatch } from './thread-messages.js';

interface ThreadRow {
  readonly stack: number;
  readonly labelSet: number;
  readonly value: number;
  readonly count: number;
}

/** No sample has the label set of a snippet. */
const NO_ROW = -1;
/** Stacks of one batch; what worker threads send beyond is lost, and counted. */
const MAX_STACKS = 200_000;
/** Rows of one batch; the same. */
const MAX_ROWS = 500_000;

/** What worker threads measured, in the tables of the batch that will carry it: that of the main thread's period. */
export class MergedThreads {
  readonly tables = new StackTables();
  readonly #rows = new Map<BatchProfile['typeId'], ThreadRow[]>();
  #exemplars: Exemplar[] = [];
  #rowCount = 0;
  #cpuMicros = 0;

  /** CPU that the agent took in these threads, in microseconds. */
  get cpuMicros(): number {
    return this.#cpuMicros;
  }

  /**
   * Adds what one thread measured, under its label.
   *
   * @param period - The main thread's, which runs.
   * @param measures - The main thread's: snippets are counted for the process, without the label.
   * @returns Raw samples for which there was no room.
   */
  add(name: string, batch: ThreadBatch, period: TransactionPeriod, measures: Measures): number {
    const labelSetRows = this.#addCounts(name, batch, period, measures);
    const rowCount = batch.profiles.reduce((sum, { sampleStack }) => sum + sampleStack.length, 0);
    if (this.tables.stackCount + batch.stacks.length > MAX_STACKS || this.#rowCount + rowCount > MAX_ROWS)
      return samplesOf(batch);
    this.#rowCount += rowCount;
    const stackRows = this.#addStacks(batch);
    for (const { typeId, sampleStack, sampleLabelSet, sampleValue, sampleCount } of batch.profiles) {
      const rows = this.#rows.get(typeId) ?? [];
      this.#rows.set(typeId, rows);
      sampleStack.forEach((stack, at) => {
        rows.push({
          stack: stack === NO_PARENT ? NO_PARENT : stackRows[stack]!,
          labelSet: labelSetRows[sampleLabelSet[at]!]!,
          value: sampleValue[at]!,
          count: sampleCount[at]!,
        });
      });
    }
    const exemplars = batch.exemplars.map((one) => moved(one, name, stackRows, labelSetRows[one.labelSet]!));
    this.#exemplars = slowestOf([...this.#exemplars, ...exemplars]);
    return 0;
  }

  /** As `add`, without stacks. @returns Raw samples, all of which are lost. */
  addCounts(name: string, batch: ThreadBatch, period: TransactionPeriod, measures: Measures): number {
    this.#addCounts(name, batch, period, measures);
    return samplesOf(batch);
  }

  /** The main thread's with those of these threads: the slowest of each name in each of them. */
  exemplarsBeside(own: readonly Exemplar[]): Exemplar[] {
    return slowestOf([...own, ...this.#exemplars]);
  }

  /** The main thread's profiles with these rows in them. Values are whole already. */
  addTo(profiles: readonly BatchProfile[]): BatchProfile[] {
    const ofType = new Map(profiles.map((profile) => [profile.typeId, profile]));
    for (const [typeId, rows] of this.#rows) {
      const columns = new SampleColumns();
      const profile = ofType.get(typeId);
      profile?.sampleStack.forEach((stack, at) => {
        columns.add(stack, profile.sampleLabelSet[at]!, profile.sampleValue[at]!, profile.sampleCount[at]!);
      });
      for (const { stack, labelSet: row, value, count } of rows) columns.add(stack, row, value, count);
      ofType.set(
        typeId,
        columns.toProfile(typeId, (value) => value),
      );
    }
    return [...ofType.values()];
  }

  /** @returns The rows of its label sets in the period. */
  #addCounts(name: string, batch: ThreadBatch, period: TransactionPeriod, measures: Measures): number[] {
    const ofMeasures = new Set<number>();
    for (const counted of batch.transactions) {
      if (counted.kind !== 'measure') continue;
      ofMeasures.add(counted.labelSet);
      measures.addCounted(labelValue(batch.labelSets[counted.labelSet]!, MEASURE_LABEL)!, counted);
    }
    const labelSetRows = batch.labelSets.map((labels, row) =>
      ofMeasures.has(row) ? NO_ROW : period.labelSets.rowOfSent(withThread(labels, name)),
    );
    for (const { labelSet: row, kind, ...counted } of batch.transactions)
      if (kind !== 'measure') period.addCounted({ ...counted, kind, labelSet: labelSetRows[row]! });
    period.lateLabels += batch.report.lateLabels;
    period.labelSets.foldedCount += batch.report.foldedLabelSets;
    this.#cpuMicros += batch.series.find((one) => one.name === 'agent_cpu_micros')?.value ?? 0;
    return labelSetRows;
  }

  #addStacks({ functions, stacks }: ThreadBatch): Int32Array {
    const rows = new Int32Array(stacks.length);
    for (let row = 0; row < stacks.length; row += 1) {
      const parent = stacks.parent[row]!;
      const at = stacks.functionRow[row]!;
      rows[row] = this.tables.stackRow(
        parent === NO_PARENT ? NO_PARENT : rows[parent]!,
        functions.name[at]!,
        functions.scriptName[at]!,
        functions.line[at]!,
        functions.column?.[at] ?? 0,
      );
    }
    return rows;
  }
}

/** In the tables of the batch that carries it, under its thread. */
function moved(exemplar: Exemplar, name: string, stackRows: Int32Array, labelSetRow: number): Exemplar {
  const { context, samples, waits } = exemplar;
  const stacksOf = (stack: Int32Array): Int32Array => stack.map((row) => (row === NO_PARENT ? NO_PARENT : stackRows[row]!));
  return {
    ...exemplar,
    labelSet: labelSetRow,
    context: context.length < MAX_CONTEXT_LABELS ? withThread(context, name) : context,
    samples: { ...samples, stack: stacksOf(samples.stack) },
    waits: { ...waits, stack: stacksOf(waits.stack) },
  };
}

function slowestOf(exemplars: readonly Exemplar[]): Exemplar[] {
  const ofName = new Map<string, Exemplar>();
  for (const one of exemplars.toSorted((a, b) => b.durationMicros - a.durationMicros)) {
    const key = `${labelValue(one.context, THREAD_LABEL) ?? ''}\n${labelValue(one.context, TRANSACTION_LABEL) ?? ''}`;
    if (!ofName.has(key)) ofName.set(key, one);
    if (ofName.size === MAX_EXEMPLARS) break;
  }
  return [...ofName.values()];
}

function withThread(labels: LabelSet, name: string): LabelSet {
  return labelSet([...labels, [THREAD_LABEL, name]]);
}

function samplesOf({ profiles }: ThreadBatch): number {
  const wall = profiles.find(({ typeId }) => typeId.startsWith('wall:'));
  return wall === undefined ? 0 : wall.sampleCount.reduce((sum, count) => sum + count, 0);
}
