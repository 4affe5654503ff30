import { TRANSACTION_LABEL, labelSet, type LabelSet, type Micros } from '@hearth/profile-model';
import {
  MAX_CONTEXT_LABELS,
  NO_SPAN,
  type Exemplar,
  type ExemplarSamples,
  type ExemplarSpans,
  type ExemplarWaits,
} from '@hearth/wire-format';
import type { RawFunction, StackTables } from '../samplers/stack-tables.js';
import type { RecordedSpan, RecordedWait } from '../transactions/transaction-record.js';
import { UNNAMED, type TransactionPeriod } from '../transactions/transaction-period.js';
import type { Transaction } from '../transactions/transaction.js';
import type { CopiedSample } from './sample-copies.js';
import type { EndedTransaction } from './slowest-transactions.js';

/** What exemplars are made with. */
export interface ExemplarSources {
  /** Those of the period: its samples refer to them. */
  readonly tables: StackTables;
  /** The one in which they ended: it has the label sets of their counts. */
  readonly period: TransactionPeriod;
  /** What an operation is called as a function. */
  readonly leafOf: (operation: number) => RawFunction;
  /** Who asks for it in a transaction and a step of it, where only one was ever seen to. */
  readonly callerOf: (operation: number, transaction: string, span: string) => readonly RawFunction[] | undefined;
  /** Not where lines were sampled: those samples are in no scope, and functions have other lines. */
  readonly hasSamples: boolean;
}

/** Makes the exemplars of a batch. What they held is let go. */
export function packExemplars(ended: readonly EndedTransaction[], sources: ExemplarSources): Exemplar[] {
  const nowMs = performance.now();
  const epochOfNowMs = Date.now();
  const rowOfFrames = new Map<readonly RawFunction[], number>();
  const stackOf = ({ stackRow, framesRootFirst }: CopiedSample): number => {
    if (framesRootFirst === undefined) return stackRow;
    const row = rowOfFrames.get(framesRootFirst) ?? sources.tables.stackRowOfFrames(framesRootFirst);
    rowOfFrames.set(framesRootFirst, row);
    return row;
  };
  return ended.map(({ transaction, durationMicros }) => {
    const { record, startedAtMs } = transaction;
    const copies = sources.hasSamples ? transaction.copies : undefined;
    const spans = record?.spans ?? [];
    const exemplar: Exemplar = {
      labelSet: sources.period.labelSets.rowOfSent(transaction.sentAs ?? []),
      kind: transaction.kind,
      outcome: transaction.outcome ?? 'ok',
      startMs: whole(epochOfNowMs - (nowMs - startedAtMs)),
      durationMicros,
      context: contextOf(transaction),
      traceId: record?.trace?.traceId ?? '',
      spanId: record?.trace?.spanId ?? '',
      spans: spanColumns(spans, startedAtMs, durationMicros),
      samples: sampleColumns(copies?.rows ?? [], stackOf, spans.length),
      waits: waitColumns(record?.waits ?? [], transaction, sources, spans.length),
      sampleCount: copies?.count ?? 0,
      cpuMicros: whole(copies?.cpuMicros ?? 0),
      waitCount: record?.waitCount ?? 0,
      awaitedMicros: micros(record?.awaitedMs ?? 0),
    };
    transaction.record = undefined;
    transaction.copies = undefined;
    return exemplar;
  });
}

/** Its name and labels as they were given, then what only exemplars are given; its own name wins over a label called so. */
function contextOf({ name = UNNAMED, labels, record }: Transaction): LabelSet {
  const all = new Map([...(labels ?? []), ...(record?.context ?? [])].slice(0, MAX_CONTEXT_LABELS - 1));
  return labelSet(all.set(TRANSACTION_LABEL, name));
}

/** One that had not ended with its transaction was cut off there. */
function spanColumns(spans: readonly RecordedSpan[], fromMs: number, durationMicros: Micros): ExemplarSpans {
  const startMicros = Float64Array.from(spans, ({ startedAtMs }) => micros(startedAtMs - fromMs));
  const endMicros = spans.map(({ endedAtMs = Infinity }) => micros(endedAtMs - fromMs));
  return {
    name: spans.map(({ spanName }) => spanName),
    parent: Int32Array.from(spans, ({ parentRow }) => parentRow),
    startMicros,
    durationMicros: Float64Array.from(endMicros, (end, row) => Math.max(0, Math.min(end, durationMicros) - startMicros[row]!)),
    outcome: spans.map(({ outcome }, row) => (outcome === undefined || endMicros[row]! > durationMicros ? 'aborted' : outcome)),
    inputs: spans.map(({ inputs }) => labelSet(inputs)),
  };
}

function sampleColumns(
  rows: readonly CopiedSample[],
  stackOf: (sample: CopiedSample) => number,
  spanCount: number,
): ExemplarSamples {
  const startMicros = Float64Array.from(rows, (row) => whole(row.startMicros));
  // The clocks of two periods may differ by a little.
  for (let at = 1; at < rows.length; at += 1) startMicros[at] = Math.max(startMicros[at]!, startMicros[at - 1]!);
  return {
    stack: Int32Array.from(rows, stackOf),
    startMicros,
    wallMicros: Float64Array.from(rows, ({ wallMicros }) => whole(wallMicros)),
    cpuMicros: Float64Array.from(rows, ({ cpuMicros }) => whole(cpuMicros)),
    span: Int32Array.from(rows, ({ spanRow }) => (spanRow < spanCount ? spanRow : NO_SPAN)),
  };
}

function waitColumns(
  waits: readonly RecordedWait[],
  { startedAtMs, name = UNNAMED }: Transaction,
  { tables, leafOf, callerOf }: ExemplarSources,
  spanCount: number,
): ExemplarWaits {
  const rows = waits.toSorted((a, b) => a.startMs - b.startMs);
  return {
    stack: Int32Array.from(rows, ({ stack, operation, scope }) => {
      const caller = stack?.framesRootFirst ?? callerOf(operation, name, scope?.spanName ?? '') ?? [];
      return tables.stackRowOfFrames([...caller, leafOf(operation)]);
    }),
    startMicros: Float64Array.from(rows, ({ startMs }) => micros(startMs - startedAtMs)),
    durationMicros: Float64Array.from(rows, ({ startMs, endMs }) => micros(endMs - startMs)),
    span: Int32Array.from(rows, ({ scope }) => (scope !== undefined && scope.spanRow < spanCount ? scope.spanRow : NO_SPAN)),
  };
}

function micros(ms: number): Micros {
  return whole(ms * 1_000);
}

/** Not before the start; 0 also where a clock of the host's gives no number. */
function whole(value: number): number {
  return value > 0 ? Math.round(value) : 0;
}
