import {
  FunctionInterner,
  labelSetKey,
  NO_PARENT,
  StackInterner,
  type EpochMs,
  type FunctionTable,
  type Label,
  type StackTable,
} from '@hearth/profile-model';
import type { Exemplar } from '@hearth/wire-format';
import type { BatchToStore } from '../profile-store/index.js';
import { encodeExemplarBody, nameHash } from '../transactions/index.js';
import type { CanonicalBatch } from './canonical-batch.js';

type ExemplarToStore = NonNullable<BatchToStore['exemplars']>[number];

/** An exemplar that may be kept. */
export interface SentExemplar {
  readonly exemplar: Exemplar;
  readonly labelSetId: number;
  /** Of the transaction, as it is counted. */
  readonly name: string;
}

export interface EncodedExemplars {
  readonly exemplars: readonly ExemplarToStore[];
  /** That are not kept. */
  readonly tooLarge: number;
}

/** Exemplars as they are stored, each with the stacks and functions that it needs. One after the other: the event loop is given to others in between. */
export async function exemplarsOf(
  { functions, stacks, startMs, durationMs }: CanonicalBatch,
  sent: readonly SentExemplar[],
): Promise<EncodedExemplars> {
  const exemplars: ExemplarToStore[] = [];
  for (const { exemplar, labelSetId, name } of sent) {
    const own = new OwnTables(functions, stacks);
    const samples = { ...exemplar.samples, stack: exemplar.samples.stack.map((row) => own.stackOf(row)) };
    const waits = { ...exemplar.waits, stack: exemplar.waits.stack.map((row) => own.stackOf(row)) };
    const { kind, outcome, durationMicros, cpuMicros, awaitedMicros, sampleCount, waitCount, context, spans } = exemplar;
    const { traceId, spanId } = exemplar;
    const body = await encodeExemplarBody({ traceId, spanId, ...own.tables(), spans, samples, waits });
    if (body === undefined) continue;
    exemplars.push({
      nameHash: nameHash(name),
      labelSetId,
      kind,
      outcome,
      startMs: startWithin(exemplar.startMs, startMs + durationMs),
      durationMicros,
      cpuMicros,
      awaitedMicros,
      sampleCount,
      keptSampleCount: samples.stack.length,
      waitCount,
      spanCount: spans.name.length,
      context,
      inputs: eachOnce(spans.inputs.flat()),
      body,
    });
  }
  return { exemplars, tooLarge: sent.length - exemplars.length };
}

/** It ended in the batch, whatever else the sender's clock says. */
function startWithin(startMs: EpochMs, batchEndMs: EpochMs): EpochMs {
  return Math.max(0, Math.min(startMs, batchEndMs));
}

function eachOnce(labels: readonly Label[]): Label[] {
  return [...new Map(labels.map((label) => [labelSetKey([label]), label])).values()];
}

/** The stacks of one exemplar and their callers, with their functions: only those. */
class OwnTables {
  readonly #functions = new FunctionInterner();
  readonly #stacks = new StackInterner(64);
  /** By row in the batch. */
  readonly #stackRow = new Map<number, number>();
  readonly #functionRow = new Map<number, number>();
  readonly #batchFunctions: FunctionTable;
  readonly #batchStacks: StackTable;

  constructor(functions: FunctionTable, stacks: StackTable) {
    this.#batchFunctions = functions;
    this.#batchStacks = stacks;
  }

  /** @param row - In the batch; `NO_PARENT`: without frames. */
  stackOf(row: number): number {
    const path: number[] = [];
    let at = row;
    for (; at !== NO_PARENT && !this.#stackRow.has(at); at = this.#batchStacks.parent[at]!) path.push(at);
    let own = at === NO_PARENT ? NO_PARENT : this.#stackRow.get(at)!;
    for (const stack of path.reverse()) {
      own = this.#stacks.rowOf(own, this.#functionOf(this.#batchStacks.functionRow[stack]!));
      this.#stackRow.set(stack, own);
    }
    return own;
  }

  tables(): { readonly functions: FunctionTable; readonly stacks: StackTable } {
    return { functions: this.#functions.table(), stacks: this.#stacks.table() };
  }

  #functionOf(row: number): number {
    let own = this.#functionRow.get(row);
    if (own === undefined) {
      const { name, package: packages, file } = this.#batchFunctions;
      own = this.#functions.rowOf({ name: name[row]!, package: packages[row]!, file: file[row]! });
      this.#functionRow.set(row, own);
    }
    return own;
  }
}
