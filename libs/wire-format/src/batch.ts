import type { DurationMs, EpochMs, LabelSet, Micros, ProfileTypeId, StackTable } from '@hearth/profile-model';
import type { Exemplar } from './exemplar.js';
import type { CountedKind, Outcome } from './transaction-ends.js';

/** Version that the agent writes. The server reads every released one. */
export const WIRE_VERSION = 3;
export const BATCH_CONTENT_TYPE = 'application/vnd.hearth.batch';

/**
 * What one period of one process measured, sent at once so that a loss is never lopsided.
 * (process.id, sequence) is its identity: sent twice, it is stored once.
 */
export interface Batch {
  readonly process: BatchProcess;
  /** From 1, one more with each period. */
  readonly sequence: number;
  readonly startMs: EpochMs;
  readonly durationMs: DurationMs;
  readonly functions: RawFunctionTable;
  readonly stacks: StackTable;
  /** Referred to by samples and transactions. */
  readonly labelSets: readonly LabelSet[];
  readonly profiles: readonly BatchProfile[];
  readonly transactions: readonly TransactionCount[];
  readonly series: readonly ProcessSeriesValue[];
  readonly report: AgentReport;
  /** Slow transactions that ended in the period; at most `MAX_EXEMPLARS`. Copies: no total counts what they hold. */
  readonly exemplars: readonly Exemplar[];
}

/** A process is an entity: one id for each start of a program. */
export interface BatchProcess {
  /** 32 hexadecimal digits, random, made at start. */
  readonly id: string;
  readonly service: string;
  readonly environment: string;
  readonly startedAtMs: EpochMs;
  readonly host: string;
  readonly pid: number;
  readonly nodeVersion: string;
  readonly agentVersion: string;
  /** Samples per second and thread that were asked for; for a while there may be more. */
  readonly rateHz: number;
  /** Git SHA or whatever the service calls its release; '' if unknown. */
  readonly revision: string;
  /** Where the revision came from: `option`, `environment`, `file`, `git`, `package`, or '' if unknown. */
  readonly revisionSource: string;
  readonly isDirty: boolean;
  /** Version of the service's package.json; '' if unknown. */
  readonly version: string;
  /** Absolute folder of the repository (else of the service's package.json); '' if unknown. File names are made relative to it. */
  readonly rootDir: string;
  /** Labels of the process itself, as region or pod. */
  readonly labels: LabelSet;
}

/** Functions as V8 reports them, as columns of one length. */
export interface RawFunctionTable {
  readonly length: number;
  /** '' if anonymous. */
  readonly name: readonly string[];
  /** Script name, with `file://` where V8 has it; '' for V8's own. */
  readonly scriptName: readonly string[];
  /** Of the definition; in stacks of profiles with `call-site` lines the one that ran, so that a function has several rows. From 1; 0 is unknown. */
  readonly line: Uint32Array;
  /** In that line, as JavaScript counts (UTF-16). From 1; 0 is unknown. `undefined`: of none it is known, as in version 1. */
  readonly column?: Uint32Array | undefined;
}

/** Which lines the stacks of a profile carry. */
export type RecordedLines = 'none' | 'definition' | 'call-site';
export const RECORDED_LINES: readonly RecordedLines[] = ['none', 'definition', 'call-site'];

export interface BatchProfile {
  readonly typeId: ProfileTypeId;
  readonly lines: RecordedLines;
  /** Row in `Batch.stacks`; the four columns have one length. */
  readonly sampleStack: Int32Array;
  /** Row in `Batch.labelSets`. */
  readonly sampleLabelSet: Uint32Array;
  /** Whole numbers in the type's unit. A level holds what was in use at the end of the period. */
  readonly sampleValue: Float64Array;
  /**
   * Raw samples summed in this row, as many as there were at the process' `rateHz`: while an agent samples more often, each is a part of one. May be 0 where the value is not.
   */
  readonly sampleCount: Float64Array;
}

/**
 * Transactions that finished in the period, with one label set (its `transaction` label is their name) and one outcome. Or runs of a snippet (`kind` is
 * `measure`, its `measure` label is its name): they may be shorter than a microsecond, so their durations are in nanoseconds wherever these say microseconds.
 */
export interface TransactionCount {
  /** Row in `Batch.labelSets`: the same rows that samples use. */
  readonly labelSet: number;
  readonly kind: CountedKind;
  readonly outcome: Outcome;
  readonly count: number;
  readonly durationSumMicros: Micros;
  /** Buckets of a `DurationSketch`, ascending, same length as `sketchCount`. */
  readonly sketchBucket: Int32Array;
  readonly sketchCount: Float64Array;
}

/** One measured number of the process in this period, e.g. `rss_bytes`. The unit is the last part of the name. */
export interface ProcessSeriesValue {
  readonly name: string;
  readonly value: number;
}

/** What the agent could not send or had to fold, since the batch before. */
export interface AgentReport {
  readonly droppedBatches: number;
  readonly droppedSamples: number;
  /** Labels that changed after their samples had been sent. */
  readonly lateLabels: number;
  /** Label sets folded into `__other__`. */
  readonly foldedLabelSets: number;
  readonly restartedSamplers: number;
}
