import type { EpochMs, LabelSet, Micros } from '@hearth/profile-model';

export type ExemplarOutcome = 'ok' | 'error' | 'timeout' | 'aborted';

/** One of the slowest transactions of a selection: its figures, and the beginning of its context. */
export interface ExemplarFigures {
  /** Ask `GET /transactions/exemplars/:id` for all of it. */
  readonly id: string;
  readonly startMs: EpochMs;
  readonly durationMicros: Micros;
  readonly outcome: ExemplarOutcome;
  readonly environment: string;
  readonly revision: string;
  /** 32 hexadecimal digits, as in `GET /services/:service/processes`; '' if it is not known any more. */
  readonly process: string;
  /** Of all its samples. */
  readonly cpuMicros: Micros;
  /** In which at least one wait was under way. */
  readonly awaitedMicros: Micros;
  /** Samples it had, and of them those that are kept, the waits that it had, and its spans. */
  readonly sampleCount: number;
  readonly keptSampleCount: number;
  readonly waitCount: number;
  readonly spanCount: number;
}
export interface ExemplarSummaryAnswer extends ExemplarFigures {
  /** The first labels of its context, long values cut. */
  readonly context: LabelSet;
  /** Labels that its context has. */
  readonly contextCount: number;
}

/** One transaction as it went. Times within it are microseconds from its start. Tables are columns of one length each. */
export interface ExemplarAnswer extends ExemplarFigures {
  readonly service: string;
  readonly transaction: string;
  readonly kind: 'http' | 'custom';
  readonly host: string;
  /** Samples per second and thread that its agent was asked for; `null`: the process is not known any more. */
  readonly rateHz: number | null;
  /** As it is counted; names or values may have been folded into `__other__`. */
  readonly labels: LabelSet;
  /** As it was given. */
  readonly context: LabelSet;
  /** Of OpenTelemetry; '' without. */
  readonly traceId: string;
  readonly spanId: string;
  readonly functions: { readonly name: readonly string[]; readonly package: readonly string[]; readonly file: readonly string[] };
  /** A stack is its last function and the stack that called it, -1 for none. A parent comes before its children. */
  readonly stacks: { readonly parent: readonly number[]; readonly function: readonly number[] };
  /** By start. `parent`: row here, -1 for the transaction itself. */
  readonly spans: {
    readonly name: readonly string[];
    readonly parent: readonly number[];
    readonly startMicros: readonly Micros[];
    readonly durationMicros: readonly Micros[];
    readonly outcome: readonly ExemplarOutcome[];
    readonly inputs: readonly LabelSet[];
  };
  /** By start. `stack`: row in `stacks`, -1 without frames. `span`: row in `spans`, -1 for none. */
  readonly samples: {
    readonly stack: readonly number[];
    readonly startMicros: readonly Micros[];
    readonly wallMicros: readonly Micros[];
    readonly cpuMicros: readonly Micros[];
    readonly span: readonly number[];
  };
  /** By start. The last function of a stack is what was waited for. */
  readonly waits: {
    readonly stack: readonly number[];
    readonly startMicros: readonly Micros[];
    readonly durationMicros: readonly Micros[];
    readonly span: readonly number[];
  };
}
