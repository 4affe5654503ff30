import type { EpochMs, LabelSet, Micros } from '@hearth/profile-model';
import type { Outcome, TransactionKind } from './transaction-ends.js';

/** Of one batch. Here and below: what the agent sends at most, and the server takes. */
export const MAX_EXEMPLARS = 64;
/** Rows of one exemplar. */
export const MAX_EXEMPLAR_SPANS = 200;
export const MAX_EXEMPLAR_SAMPLES = 2_000;
export const MAX_EXEMPLAR_WAITS = 500;
/** Labels of an exemplar's context, and as well of the inputs of one span. */
export const MAX_CONTEXT_LABELS = 64;

/** Stands where a row is in no span. */
export const NO_SPAN = -1;

/**
 * One slow transaction with what it did. Its samples and waits are copies of what the profiles count already: no total may add them.
 * Times within it are offsets from its start, by the monotonic clock.
 */
export interface Exemplar {
  /** Row in `Batch.labelSets`: the one that its count carries. */
  readonly labelSet: number;
  readonly kind: TransactionKind;
  readonly outcome: Outcome;
  readonly startMs: EpochMs;
  readonly durationMicros: Micros;
  /** Its name (`transaction`) and labels as they were before folding, and what was given to exemplars only. */
  readonly context: LabelSet;
  /** OpenTelemetry's, 32 and 16 hexadecimal digits; '' without. */
  readonly traceId: string;
  readonly spanId: string;
  readonly spans: ExemplarSpans;
  readonly samples: ExemplarSamples;
  readonly waits: ExemplarWaits;
  /** All its samples: more than `samples` holds where they were too many, 0 where none of them was told apart. */
  readonly sampleCount: number;
  /** Of all its samples. */
  readonly cpuMicros: Micros;
  /** All its waits: more than `waits` holds where they were too many. */
  readonly waitCount: number;
  /** How long it waited for at least one operation. */
  readonly awaitedMicros: Micros;
}

/** Columns of one length, in the order in which the spans began: a parent comes before its children. */
export interface ExemplarSpans {
  readonly name: readonly string[];
  /** Row in these spans; `NO_SPAN`: the transaction itself. */
  readonly parent: Int32Array;
  readonly startMicros: Float64Array;
  readonly durationMicros: Float64Array;
  readonly outcome: readonly Outcome[];
  readonly inputs: readonly LabelSet[];
}

/** Columns of one length, in the order of time. */
export interface ExemplarSamples {
  /** Row in `Batch.stacks`; -1: a sample without frames. */
  readonly stack: Int32Array;
  readonly startMicros: Float64Array;
  readonly wallMicros: Float64Array;
  readonly cpuMicros: Float64Array;
  /** Row in the exemplar's spans; `NO_SPAN`. */
  readonly span: Int32Array;
}

/** Columns of one length, in the order in which the waits began. */
export interface ExemplarWaits {
  /** Row in `Batch.stacks`, whose leaf is the operation, as in the `wait` profile. */
  readonly stack: Int32Array;
  readonly startMicros: Float64Array;
  readonly durationMicros: Float64Array;
  /** Row in the exemplar's spans; `NO_SPAN`. */
  readonly span: Int32Array;
}
