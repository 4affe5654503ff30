import { joinStacks, type DurationMs, type EpochMs, type StackTable, type TimeRange } from '@hearth/profile-model';
import { decodeBlock } from './block-codec.js';
import { NO_STACK, type LabelSetRows } from './profile-rows.js';
import { decodeDetail, decodeTotals, labelSetSums, type LabelSetSum } from './segment-codec.js';
import { segmentRows, tailBlockRows, type StoredProfiles, type StoredQuery } from './stored-query.js';

type Filter = Pick<StoredQuery, 'fromMs' | 'untilMs' | 'processIds' | 'labelSetIds'>;

/** The stacks that windows of one range name. */
export interface EpochStacks extends TimeRange {
  readonly stacks: StackTable;
  /** Row of each function in one table of all epochs. */
  readonly functionRow: Uint32Array;
}

/** Work for `merge.worker.ts`: three questions over the same stored profiles. */
export type MergeTask = {
  readonly stored: StoredProfiles;
  readonly filter: Filter;
  /** Those that the profiles may name. Stacks of one epoch keep their ids in the answer; those of several are joined. */
  readonly epochs: readonly EpochStacks[];
} & (
  | { readonly want: 'merged' }
  | { readonly want: 'steps'; readonly stepMs: DurationMs; readonly groupOf: StepGroups }
  | { readonly want: 'processes'; readonly groupOfLabelSet: LabelSetGroups; readonly grain: ProcessGrain }
);

export type LabelSetGroups = ReadonlyMap<number, number>;
/** What the series of `steps` stand for: everything, each revision id, each process id, or groups of label sets. */
export type StepGroups = 'none' | 'revision' | 'process' | LabelSetGroups;
export type ProcessGrain = 'window' | 'flush';
/** Group of a label set that the map does not name. */
export const NO_GROUP = -1;
/** Above every key. */
const MAX_KEYS = 2 ** 31;

/** What stack ids in an answer mean. */
interface OverStacks {
  /** Of several epochs: the stacks that occur, over the functions of all; `undefined`: those of the one epoch. */
  readonly joined: StackTable | undefined;
}

export interface MergedValues extends OverStacks {
  /** By stack. Levels: value x milliseconds. */
  readonly self: Float64Array;
  /** Value of samples without frames. */
  readonly rootSelf: number;
  /** `rootSelf` and all of `self`. */
  readonly sum: number;
  /** Raw samples. */
  readonly samples: number;
  /** Process-time that the flushes cover, whatever their labels: divide a level by it for the average of one process. */
  readonly observedMs: DurationMs;
}

export interface StepValues {
  /** Aligned to the epoch: multiples of the step, from the one that holds `fromMs`. */
  readonly startsMs: readonly EpochMs[];
  /** Those that have samples, ascending; `'none'`: 0. */
  readonly groups: readonly number[];
  /** For each group, a value per step. */
  readonly values: readonly Float64Array[];
  /** For each group, raw samples per step. */
  readonly samples: readonly Float64Array[];
}

/** Columns of one length; equal (process, window, group, stack) may repeat. */
export interface ProcessValues extends OverStacks {
  readonly processId: Float64Array;
  readonly windowStartMs: Float64Array;
  readonly group: Int32Array;
  /** −1: a sample without frames. */
  readonly stackId: Int32Array;
  readonly value: Float64Array;
  readonly count: Float64Array;
  /** How long each process was profiled; columns of one length. */
  readonly observed: { readonly processId: Float64Array; readonly observedMs: Float64Array };
}

/** A stored piece that counts as a whole: the totals of a window, or one flush of one process. */
interface Piece {
  readonly windowStartMs: EpochMs;
  /** Row in the epochs of the task. */
  readonly epoch: number;
  readonly revisionId: number;
  /** `undefined`: totals, of every process. */
  readonly flush: { readonly processId: number; readonly startMs: EpochMs; readonly durationMs: DurationMs } | undefined;
  /** Of totals. */
  readonly observedMs: DurationMs;
  sums(): readonly LabelSetSum[];
  rows(): readonly LabelSetRows[];
}

export function mergeStoredProfiles(task: MergeTask): MergedValues | StepValues | ProcessValues {
  switch (task.want) {
    case 'merged':
      return mergeAll(task);
    case 'steps':
      return mergeSteps(task, task.stepMs, task.groupOf);
    case 'processes':
      return mergeByProcess(task, task.groupOfLabelSet, task.grain);
  }
}

function mergeAll(task: MergeTask): MergedValues {
  const wanted = wantedLabelSets(task.filter);
  const byKeyOf = [...task.epochs.map(({ stacks }) => stacks.length), 0].map((stackCount) => new Float64Array(stackCount + 1));
  const observed = new ObservedTime();
  let samples = 0;
  for (const piece of pieces(task)) {
    observed.add(piece);
    // Totals tell without inflating whether there is anything.
    if (piece.flush === undefined && wanted !== undefined && !piece.sums().some((one) => wanted.has(one.labelSetId))) continue;
    const byKey = byKeyOf[piece.epoch]!;
    for (const { labelSetId, key, value, count } of piece.rows()) {
      if (wanted !== undefined && !wanted.has(labelSetId)) continue;
      for (let row = 0; row < key.length; row += 1) {
        byKey[key[row]!]! += value[row]!;
        samples += count[row]!;
      }
    }
  }
  let [rootSelf, sum] = [0, 0];
  for (const byKey of byKeyOf) {
    rootSelf += byKey[0]!;
    for (const value of byKey) sum += value;
  }
  const selfOf = byKeyOf.slice(0, -1).map((byKey) => byKey.subarray(1));
  return { ...joinSelf(task.epochs, selfOf), rootSelf, sum, samples, observedMs: observed.sum() };
}

function joinSelf(
  epochs: readonly EpochStacks[],
  selfOf: readonly Float64Array[],
): { joined: StackTable | undefined; self: Float64Array } {
  // A copy: what is handed to another thread is the whole buffer.
  if (epochs.length < 2) return { joined: undefined, self: selfOf[0]?.slice() ?? new Float64Array() };
  const { stacks, rowOf } = joinStacks(epochs.map((epoch, at) => ({ ...epoch, isWanted: selfOf[at]! })));
  const self = new Float64Array(stacks.length);
  selfOf.forEach((values, at) => {
    for (let id = 0; id < values.length; id += 1) if (values[id] !== 0) self[rowOf[at]![id]!]! += values[id]!;
  });
  return { joined: stacks, self };
}

function mergeSteps(task: MergeTask, stepMs: DurationMs, groupOf: StepGroups): StepValues {
  const wanted = wantedLabelSets(task.filter);
  const { fromMs, untilMs } = task.filter;
  const first = Math.floor(fromMs / stepMs) * stepMs;
  const startsMs = Array.from({ length: Math.max(0, Math.ceil((untilMs - first) / stepMs)) }, (_, step) => first + step * stepMs);
  const columns = new Map<number, { values: Float64Array; samples: Float64Array }>();
  for (const piece of pieces(task)) {
    const step = Math.floor(((piece.flush?.startMs ?? piece.windowStartMs) - first) / stepMs);
    for (const { labelSetId, value, count } of piece.sums()) {
      if (wanted !== undefined && !wanted.has(labelSetId)) continue;
      const group = stepGroup(groupOf, piece, labelSetId);
      let column = columns.get(group);
      if (column === undefined)
        columns.set(group, (column = { values: new Float64Array(startsMs.length), samples: new Float64Array(startsMs.length) }));
      column.values[step]! += value;
      column.samples[step]! += count;
    }
  }
  const groups = [...columns.keys()].sort((a, b) => a - b);
  return {
    startsMs,
    groups,
    values: groups.map((group) => columns.get(group)!.values),
    samples: groups.map((group) => columns.get(group)!.samples),
  };
}

function stepGroup(groupOf: StepGroups, { revisionId, flush }: Piece, labelSetId: number): number {
  if (groupOf === 'none') return 0;
  if (groupOf === 'revision') return revisionId;
  if (groupOf === 'process') return flush!.processId;
  return groupOf.get(labelSetId) ?? NO_GROUP;
}

function mergeByProcess(task: MergeTask, groupOfLabelSet: LabelSetGroups, grain: ProcessGrain): ProcessValues {
  const wanted = wantedLabelSets(task.filter);
  const columns = {
    epoch: [] as number[],
    processId: [] as number[],
    windowStartMs: [] as number[],
    group: [] as number[],
    stackId: [] as number[],
    value: [] as number[],
    count: [] as number[],
  };
  const observed = new ObservedTime();
  // Flushes of one process and window follow one another within a segment: they are summed; what is apart stays apart.
  const rowOf = new Map<number, number>();
  let [lastProcessId, lastStartMs] = [-1, -1];
  for (const piece of pieces(task)) {
    observed.add(piece);
    const { processId, startMs } = piece.flush!;
    const windowStartMs = grain === 'flush' ? startMs : piece.windowStartMs;
    if (processId !== lastProcessId || windowStartMs !== lastStartMs) rowOf.clear();
    [lastProcessId, lastStartMs] = [processId, windowStartMs];
    for (const { labelSetId, key, value, count } of piece.rows()) {
      if (wanted !== undefined && !wanted.has(labelSetId)) continue;
      const group = groupOfLabelSet.get(labelSetId) ?? NO_GROUP;
      for (let row = 0; row < key.length; row += 1) {
        const pair = (group + 1) * MAX_KEYS + key[row]!;
        let at = rowOf.get(pair);
        if (at === undefined) {
          rowOf.set(pair, (at = columns.processId.push(processId) - 1));
          columns.epoch.push(piece.epoch);
          columns.windowStartMs.push(windowStartMs);
          columns.group.push(group);
          columns.stackId.push(key[row]! - 1);
          columns.value.push(0);
          columns.count.push(0);
        }
        columns.value[at]! += value[row]!;
        columns.count[at]! += count[row]!;
      }
    }
  }
  return {
    processId: Float64Array.from(columns.processId),
    windowStartMs: Float64Array.from(columns.windowStartMs),
    group: Int32Array.from(columns.group),
    ...joinRows(task.epochs, columns),
    value: Float64Array.from(columns.value),
    count: Float64Array.from(columns.count),
    observed: observed.byProcess(),
  };
}

function joinRows(
  epochs: readonly EpochStacks[],
  columns: { readonly epoch: readonly number[]; readonly stackId: readonly number[] },
): { joined: StackTable | undefined; stackId: Int32Array } {
  if (epochs.length < 2) return { joined: undefined, stackId: Int32Array.from(columns.stackId) };
  const isWantedOf = epochs.map(({ stacks }) => new Uint8Array(stacks.length));
  columns.stackId.forEach((id, row) => {
    if (id !== NO_STACK) isWantedOf[columns.epoch[row]!]![id] = 1;
  });
  const { stacks, rowOf } = joinStacks(epochs.map((epoch, at) => ({ ...epoch, isWanted: isWantedOf[at]! })));
  return {
    joined: stacks,
    stackId: Int32Array.from(columns.stackId, (id, row) => (id === NO_STACK ? id : rowOf[columns.epoch[row]!]![id]!)),
  };
}

/** Every stored piece of the question, once. Labels are for the caller to filter. */
function* pieces({ stored, filter, epochs }: MergeTask): Generator<Piece> {
  const { fromMs, untilMs } = filter;
  // What lies in a month without a dictionary can name no stack.
  const epochOf = (windowStartMs: EpochMs) => {
    const at = epochs.findIndex((epoch) => windowStartMs >= epoch.fromMs && windowStartMs < epoch.untilMs);
    return at === -1 ? { epoch: epochs.length, stackCount: 0 } : { epoch: at, stackCount: epochs[at]!.stacks.length };
  };
  const wantedProcesses = filter.processIds && new Set(filter.processIds);
  for (const { windowStartMs, revisionId, totals, detail } of segmentRows(stored)) {
    const { epoch, stackCount } = epochOf(windowStartMs);
    if (totals !== null) {
      const read = decodeTotals(totals);
      yield {
        windowStartMs,
        epoch,
        revisionId,
        flush: undefined,
        observedMs: read.observedMs,
        sums: () => read.sums,
        rows: () => read.rows(stackCount),
      };
    } else if (detail !== null) {
      const parts = decodeDetail(detail, stackCount, (processId, offsetMs) => {
        const startMs = windowStartMs + offsetMs;
        return startMs >= fromMs && startMs < untilMs && (wantedProcesses === undefined || wantedProcesses.has(processId));
      });
      for (const { processId, offsetMs, durationMs, rows } of parts) {
        yield flushPiece({ windowStartMs, epoch, revisionId, processId, startMs: windowStartMs + offsetMs, durationMs, rows });
      }
    }
  }
  // By process, then time, as within a segment.
  const tail = [...tailBlockRows(stored)].sort((a, b) => a.processId - b.processId || a.startMs - b.startMs);
  for (const { data, startMs, ...row } of tail) {
    const { epoch, stackCount } = epochOf(row.windowStartMs);
    yield flushPiece({ ...row, startMs, epoch, rows: decodeBlock(data, stackCount) });
  }
}

function flushPiece({
  windowStartMs,
  epoch,
  revisionId,
  processId,
  startMs,
  durationMs,
  rows,
}: {
  windowStartMs: EpochMs;
  epoch: number;
  revisionId: number;
  processId: number;
  startMs: EpochMs;
  durationMs: DurationMs;
  rows: readonly LabelSetRows[];
}): Piece {
  return {
    windowStartMs,
    epoch,
    revisionId,
    flush: { processId, startMs, durationMs },
    observedMs: 0,
    sums: () => labelSetSums(rows),
    rows: () => rows,
  };
}

function wantedLabelSets({ labelSetIds }: Filter): ReadonlySet<number> | undefined {
  return labelSetIds && new Set(labelSetIds);
}

/** Several profiles of one flush (of several threads, or of a client that sends in parts) cover its time once. */
class ObservedTime {
  #ofTotals = 0;
  readonly #flushes = new Map<string, { processId: number; durationMs: DurationMs }>();

  add({ flush, observedMs }: Piece): void {
    this.#ofTotals += observedMs;
    if (flush === undefined) return;
    const key = `${flush.processId}.${flush.startMs}`;
    const known = this.#flushes.get(key);
    if (known === undefined || known.durationMs < flush.durationMs) this.#flushes.set(key, flush);
  }

  sum(): DurationMs {
    let sum = this.#ofTotals;
    for (const { durationMs } of this.#flushes.values()) sum += durationMs;
    return sum;
  }

  byProcess(): ProcessValues['observed'] {
    const sums = new Map<number, DurationMs>();
    for (const { processId, durationMs } of this.#flushes.values()) sums.set(processId, (sums.get(processId) ?? 0) + durationMs);
    const sorted = [...sums].sort((a, b) => a[0] - b[0]);
    return { processId: Float64Array.from(sorted, ([id]) => id), observedMs: Float64Array.from(sorted, ([, ms]) => ms) };
  }
}
