import type { Label } from '@hearth/profile-model';
import { MAX_EXEMPLAR_SPANS, MAX_EXEMPLAR_WAITS, type Outcome } from '@hearth/wire-format';
import type { OpenPlace } from '../safety/open-list.js';
import type { RawFunction } from '../samplers/stack-tables.js';

/** Labels that one transaction has for exemplars only. */
const MAX_CONTEXT = 31;

/** A step that has begun. */
export interface RecordedSpan {
  readonly spanName: string;
  /** Row of the step around it; `NO_SPAN`. */
  readonly parentRow: number;
  readonly startedAtMs: number;
  readonly inputs: readonly Label[];
  /** Both `undefined` until it has ended. */
  endedAtMs: number | undefined;
  outcome: Outcome | undefined;
}

/** A wait that has ended. */
export interface RecordedWait {
  readonly operation: number;
  readonly scope: { readonly spanName: string | undefined; readonly spanRow: number } | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly stack: { readonly framesRootFirst: readonly RawFunction[] } | undefined;
}

/** Of OpenTelemetry, in hexadecimal. */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
}

/**
 * What is known of one transaction beside its count, should it become an exemplar: made when there is something to keep, because most
 * have no step and wait for nothing.
 */
export class TransactionRecord {
  /** In the order in which they began. */
  spans: RecordedSpan[] = [];
  /** In the order in which they ended. */
  waits: RecordedWait[] = [];
  /** Also those that are not kept. */
  waitCount = 0;
  /** How long it waited for at least one operation; known at its end. */
  awaitedMs = 0;
  /** Of all its spans. */
  inputCount = 0;
  context: Map<string, string> | undefined;
  trace: TraceIds | undefined;
  /** Among the open ones, from its first row on. */
  place: OpenPlace<TransactionRecord> | undefined;
  #takesRows = true;

  get rows(): number {
    return this.spans.length + this.waits.length;
  }

  get hasRoomForSpan(): boolean {
    return this.#takesRows && this.spans.length < MAX_EXEMPLAR_SPANS;
  }

  get hasRoomForWait(): boolean {
    return this.#takesRows && this.waits.length < MAX_EXEMPLAR_WAITS;
  }

  /** Beyond `MAX_CONTEXT` only those it has already change. */
  addContext(labels: readonly Label[]): void {
    const all = (this.context ??= new Map<string, string>());
    for (const [name, value] of labels) if (all.has(name) || all.size < MAX_CONTEXT) all.set(name, value);
  }

  /** Without its rows from here on: there were too many elsewhere. */
  letGo(): void {
    this.#takesRows = false;
    this.spans = [];
    this.waits = [];
  }
}
