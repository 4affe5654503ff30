import { joinStacks, type DurationMs, type EpochMs, type StackTable, type TimeRange } from '@hearth/profile-model';
import { decodeBlock } from './block-codec.js';
import { ObservedTime } from './observed-time.js';
import { NO_STACK, type LabelSetRows } from './profile-rows.js';
import { decodeDetail, decodeTotals, labelSetSums, type LabelSetSum } from './segment-codec.js';
import { segmentRows, tailBlockRows, type StoredProfiles, type StoredQuery } from './stored-query.js';
import { WINDOW_MS, windowStart } from './window.js';

type Filter = Pick<StoredQuery, 'fromMs' | 'untilMs' | 'processIds' | 'labelSetIds'>;

/** The stacks that windows of one range name, or those kept for one pinned revision. */
export interface EpochStacks {
  readonly of: TimeRange | { readonly pinnedRevisionId: number };
  readonly stacks: StackTable;
  /** Row of each function in one table of all epochs; empty where there is one epoch, whose rows are those. */
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
  | { readonly want: 'processes'; readonly groupOfLabelSet: LabelSetGroups; readonly windowMs: DurationMs }
);

export type LabelSetGroups = ReadonlyMap<number, number>;
/** What the series of `steps` stand for: everything, each revision id, each process id, or groups of label sets. */
export type StepGroups = 'none' | 'revision' | 'process' | LabelSetGroups;
/** Group of a label set that the map does not name. */
export const NO_GROUP = -1;

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
}

export interface StepValues {
  /** Aligned to the epoch: multiples of the step, from the one that holds `fromMs`. */
  readonly startsMs: readonly EpochMs[];
  /** Those that have samples, ascending; `'none'`: 0. */
  readonly groups: readonly number[];
  /** For each group, a value per step. */
  readonly values: readonly Float64Array[];
}

/** Columns of one length; equal (process, window, group, stack) may repeat. */
export interface ProcessValues extends OverStacks {
  /** Length of the windows. */
  readonly windowMs: DurationMs;
  readonly processId: Float64Array;
  readonly windowStartMs: Float64Array;
  /** Of the label set, so those of the question are below 2^31: rows of a list, not ids. */
  readonly group: Int32Array;
  /** −1: a sample without frames. */
  readonly stackId: Int32Array;
  readonly value: Float64Array;
  readonly count: Float64Array;
  /** How long each process was profiled; columns of one length. */
  readonly observed: { readonly processId: Float64Array; readonly observedMs: Float64Array };
}

/** A stored piece that counts as a whole: the totals of a window, one flush of one process, or what one process did in an hour or day. */
interface Piece {
  /** Of the flush, or of the window. */
  readonly startMs: EpochMs;
  /** Row in the epochs of the task. */
  readonly epoch: number;
  readonly revisionId: number;
  /** `undefined`: totals, of every process. */
  readonly processId: number | undefined;
  /** Whether its time may be that of other pieces too. */
  readonly isFlush: boolean;
  readonly durationMs: DurationMs;
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
      return mergeByProcess(task, task.groupOfLabelSet, task.windowMs);
  }
}

function mergeAll(task: MergeTask): MergedValues {
  const wanted = wantedLabelSets(task.filter);
  const byKeyOf = [...task.epochs.map(({ stacks }) => stacks.length), 0].map((stackCount) => new Float64Array(stackCount + 1));
  let samples = 0;
  for (const piece of pieces(task)) {
    // Totals tell without inflating whether there is anything.
    if (piece.processId === undefined && wanted !== undefined && !piece.sums().some((one) => wanted.has(one.labelSetId)))
      continue;
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
    for (let key = 0; key < byKey.length; key += 1) sum += byKey[key]!;
  }
  const selfOf = byKeyOf.slice(0, -1).map((byKey) => byKey.subarray(1));
  return { ...joinSelf(task.epochs, selfOf), rootSelf, sum, samples };
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
  const valuesOf = new Map<number, Float64Array>();
  for (const piece of pieces(task)) {
    const step = Math.floor((piece.startMs - first) / stepMs);
    for (const { labelSetId, value } of piece.sums()) {
      if (wanted !== undefined && !wanted.has(labelSetId)) continue;
      const group = stepGroup(groupOf, piece, labelSetId);
      let values = valuesOf.get(group);
      if (values === undefined) valuesOf.set(group, (values = new Float64Array(startsMs.length)));
      values[step]! += value;
    }
  }
  const groups = [...valuesOf.keys()].sort((a, b) => a - b);
  return { startsMs, groups, values: groups.map((group) => valuesOf.get(group)!) };
}

function stepGroup(groupOf: StepGroups, { revisionId, processId }: Piece, labelSetId: number): number {
  if (groupOf === 'none') return 0;
  if (groupOf === 'revision') return revisionId;
  if (groupOf === 'process') return processId!;
  return groupOf.get(labelSetId) ?? NO_GROUP;
}

function mergeByProcess(task: MergeTask, groupOfLabelSet: LabelSetGroups, windowMs: DurationMs): ProcessValues {
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
  // What one process did in one window lies together within a segment: it is summed; what is apart stays apart.
  const rowOf = new Map<number, Map<number, number>>();
  let [lastProcessId, lastStartMs] = [-1, -1];
  for (const piece of pieces(task)) {
    const processId = piece.processId!;
    addTime(observed, processId, piece);
    const windowStartMs = windowStart(piece.startMs, windowMs);
    if (processId !== lastProcessId || windowStartMs !== lastStartMs) rowOf.clear();
    [lastProcessId, lastStartMs] = [processId, windowStartMs];
    for (const { labelSetId, key, value, count } of piece.rows()) {
      if (wanted !== undefined && !wanted.has(labelSetId)) continue;
      const group = groupOfLabelSet.get(labelSetId) ?? NO_GROUP;
      // A map for each group: one number for group and stack together would lose digits.
      let rowOfKey = rowOf.get(group);
      if (rowOfKey === undefined) rowOf.set(group, (rowOfKey = new Map()));
      for (let row = 0; row < key.length; row += 1) {
        let at = rowOfKey.get(key[row]!);
        if (at === undefined) {
          rowOfKey.set(key[row]!, (at = columns.processId.push(processId) - 1));
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
  const time = [...observed.byProcess()].sort((a, b) => a[0] - b[0]);
  return {
    windowMs,
    processId: Float64Array.from(columns.processId),
    windowStartMs: Float64Array.from(columns.windowStartMs),
    group: Int32Array.from(columns.group),
    ...joinRows(task.epochs, columns),
    value: Float64Array.from(columns.value),
    count: Float64Array.from(columns.count),
    observed: { processId: Float64Array.from(time, ([id]) => id), observedMs: Float64Array.from(time, ([, ms]) => ms) },
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
  // What has no dictionary can name no stack.
  const epochWhere = (isIt: (of: EpochStacks['of']) => boolean) => {
    const at = epochs.findIndex(({ of }) => isIt(of));
    return at === -1 ? { epoch: epochs.length, stackCount: 0 } : { epoch: at, stackCount: epochs[at]!.stacks.length };
  };
  const epochOf = (windowStartMs: EpochMs) =>
    epochWhere((of) => 'fromMs' in of && windowStartMs >= of.fromMs && windowStartMs < of.untilMs);
  const epochOfPinned = (revisionId: number) =>
    epochWhere((of) => 'pinnedRevisionId' in of && of.pinnedRevisionId === revisionId);
  const wantedProcesses = filter.processIds && new Set(filter.processIds);
  for (const { windowMs, windowStartMs, revisionId, isPinned, totals, detail } of segmentRows(stored)) {
    const { epoch, stackCount } = isPinned ? epochOfPinned(revisionId) : epochOf(windowStartMs);
    const isMinute = windowMs === WINDOW_MS;
    if (totals !== null) {
      const read = decodeTotals(totals);
      yield {
        startMs: windowStartMs,
        epoch,
        revisionId,
        processId: undefined,
        isFlush: false,
        durationMs: read.observedMs,
        sums: () => read.sums,
        rows: () => read.rows(stackCount),
      };
    } else if (detail !== null) {
      const parts = decodeDetail(detail, stackCount, (processId, slot) => {
        if (isMinute && (windowStartMs + slot < fromMs || windowStartMs + slot >= untilMs)) return false;
        return wantedProcesses === undefined || wantedProcesses.has(processId);
      });
      for (const { slot, ...part } of parts)
        yield partPiece({
          ...part,
          epoch,
          startMs: isMinute ? windowStartMs + slot : windowStartMs,
          isFlush: isMinute,
          revisionId,
        });
    }
  }
  // By process, then time, as within a segment.
  const tail = [...tailBlockRows(stored)].sort((a, b) => a.processId - b.processId || a.startMs - b.startMs);
  for (const { data, ...row } of tail) {
    const { epoch, stackCount } = epochOf(row.windowStartMs);
    yield partPiece({ ...row, epoch, isFlush: true, rows: decodeBlock(data, stackCount) });
  }
}

type PartPiece = Pick<Piece, 'startMs' | 'epoch' | 'revisionId' | 'isFlush' | 'durationMs'> & {
  readonly processId: number;
  readonly rows: readonly LabelSetRows[];
};

function partPiece({ startMs, epoch, revisionId, processId, isFlush, durationMs, rows }: PartPiece): Piece {
  return { startMs, epoch, revisionId, processId, isFlush, durationMs, sums: () => labelSetSums(rows), rows: () => rows };
}

function addTime(observed: ObservedTime, processId: number, { startMs, isFlush, durationMs }: Piece): void {
  if (isFlush) observed.addFlush(processId, startMs, durationMs);
  else observed.addSum(processId, durationMs);
}

function wantedLabelSets({ labelSetIds }: Filter): ReadonlySet<number> | undefined {
  return labelSetIds && new Set(labelSetIds);
}
