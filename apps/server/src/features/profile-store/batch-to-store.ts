import type { DurationMs, EpochMs, LineCosts, Micros, ProfileTypeKind } from '@hearth/profile-model';
import type { CountedKind, Outcome } from '@hearth/wire-format';
import type { UsedEpoch } from '../stacks/index.js';
import type { Exemplar } from '../transactions/index.js';
import { StoreError } from './store-error.js';
import type { BlockColumns } from './block-codec.js';

/** What one period of one process measured, with every name already an id. */
export interface BatchToStore {
  readonly serviceId: number;
  readonly processId: number;
  readonly revisionId: number;
  readonly environmentId: number;
  /** With the process the identity of the batch; `null`: the client has none. */
  readonly sequence: number | null;
  /** Identity of an upload without sequence: a hash of what was sent. Known for an hour. */
  readonly receiptKey?: string;
  /** The minute that holds the start owns everything in the batch: blocks, transactions and series. */
  readonly startMs: EpochMs;
  readonly durationMs: DurationMs;
  /** Where the stack ids come from, the epoch of `startMs`; `undefined`: they name no stacks. */
  readonly usedEpoch?: UsedEpoch | undefined;
  readonly blocks: readonly (BlockColumns & {
    readonly profileTypeId: number;
    readonly kind: ProfileTypeKind;
    /** Made of the same samples; `undefined`: the lines that ran were not recorded. */
    readonly lineCosts?: LineCosts | undefined;
  })[];
  readonly transactions: readonly {
    /** Its label `transaction` is the name; of a snippet `measure`. */
    readonly labelSetId: number;
    readonly kind: CountedKind;
    readonly outcome: Outcome;
    readonly count: number;
    readonly durationSumMicros: Micros;
    readonly sketchBucket: Int32Array;
    readonly sketchCount: Float64Array;
  }[];
  readonly series: readonly { readonly name: string; readonly value: number }[];
  /** Left out: none. */
  readonly exemplars?: readonly Omit<Exemplar, 'serviceId' | 'processId' | 'revisionId' | 'environmentId' | 'windowStartMs'>[];
}

export type StoreOutcome = 'stored' | 'duplicate';

const MAX_DURATION_MS = 2 ** 31 - 1;
/** Raw samples of one block; thousands of such blocks still sum exactly. No process comes near it in one flush. */
const MAX_SAMPLE_COUNT = 2 ** 40;

/** A batch that Postgres or a codec would refuse must not take its neighbours with it. @throws {StoreError} `BATCH_COLUMNS` */
export function assertStorable(batch: BatchToStore): void {
  const { startMs, durationMs, processId, sequence } = batch;
  const fail = (fault: string): never => {
    throw new StoreError(
      'BATCH_COLUMNS',
      `batch ${sequence ?? batch.receiptKey ?? '(without identity)'} of process ${processId}: ${fault}`,
    );
  };
  if (!Number.isSafeInteger(startMs) || startMs < 0) fail(`start ${startMs}`);
  if (!Number.isSafeInteger(durationMs) || durationMs < 0 || durationMs > MAX_DURATION_MS) fail(`duration ${durationMs}`);
  if (sequence !== null && !Number.isSafeInteger(sequence)) fail(`sequence ${sequence}`);
  for (const { stackId, labelSetId, value, count, kind } of batch.blocks) {
    if (labelSetId.length !== stackId.length || value.length !== stackId.length || count.length !== stackId.length)
      fail('columns of different lengths');
    const largest = Number.MAX_SAFE_INTEGER / (kind === 'level' ? Math.max(1, durationMs) : 1);
    let sum = 0;
    let sampleCount = 0;
    for (let row = 0; row < stackId.length; row += 1) {
      if (!isCount(value[row]!) || !isCount(count[row]!)) fail(`value ${value[row]}, count ${count[row]}`);
      sum += value[row]!;
      sampleCount += count[row]!;
    }
    if (sampleCount > MAX_SAMPLE_COUNT) fail(`counts sum to ${sampleCount}, at most ${MAX_SAMPLE_COUNT} are kept`);
    if (sum > largest) fail(`values sum to ${sum}, at most ${Math.floor(largest)} can be kept exactly`);
  }
  for (const one of batch.transactions) {
    if (!isCount(one.count) || !isCount(one.durationSumMicros))
      fail(`transactions: count ${one.count}, duration ${one.durationSumMicros}`);
    if (one.sketchBucket.length !== one.sketchCount.length || !one.sketchCount.every(isCount)) fail('a damaged duration sketch');
  }
  for (const one of batch.exemplars ?? []) {
    const counts = [one.startMs, one.durationMicros, one.cpuMicros, one.awaitedMicros, one.sampleCount, one.waitCount];
    if (!counts.every(isCount)) fail(`an exemplar of ${counts.join(', ')}`);
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
