import { createHash } from 'node:crypto';
import {
  NATIVE_PACKAGE,
  NODE_PACKAGE,
  NO_PARENT,
  parseProfileTypeId,
  scriptNameOf,
  type FunctionTable,
  type LabelSet,
  type Profile,
  type StackTable,
} from '@hearth/profile-model';
import type { Batch } from '@hearth/wire-format';
import { FLUSH_MS, type Flush, type FlushProfile } from './fleet.js';
import { functionsOfRevision } from './revisions.js';

/** Tables with only what a flush uses, as an agent sends them. */
interface LocalTables {
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  readonly labelSets: readonly LabelSet[];
  /** Row here of a row of the population. */
  readonly stackRow: (row: number) => number;
  readonly labelSetRow: (row: number) => number;
}

function localTables(flush: Flush, profiles: readonly FlushProfile[]): LocalTables {
  const { stacks, labelSets } = flush.population;
  const functions = functionsOfRevision(flush.population, flush.revision);
  const rowOfStack = new Map<number, number>([[NO_PARENT, NO_PARENT]]);
  const rowOfFunction = new Map<number, number>();
  const rowOfLabelSet = new Map<number, number>();
  const [parent, functionRow] = [[] as number[], [] as number[]];
  const rowIn = (rows: Map<number, number>, row: number): number => {
    const local = rows.get(row) ?? rows.size;
    rows.set(row, local);
    return local;
  };
  const stackRow = (row: number): number => {
    const local = rowOfStack.get(row);
    if (local !== undefined) return local;
    const parentRow = stackRow(stacks.parent[row]!);
    functionRow.push(rowIn(rowOfFunction, stacks.functionRow[row]!));
    rowOfStack.set(row, parent.push(parentRow) - 1);
    return parent.length - 1;
  };
  for (const { stack, labelSet } of profiles) {
    stack.forEach(stackRow);
    labelSet.forEach((row) => rowIn(rowOfLabelSet, row));
  }
  for (const { labelSet } of flush.transactions) rowIn(rowOfLabelSet, labelSet);
  const used = [...rowOfFunction.keys()];
  return {
    functions: {
      length: used.length,
      name: used.map((row) => functions.name[row]!),
      package: used.map((row) => functions.package[row]!),
      file: used.map((row) => functions.file[row]!),
    },
    stacks: { length: parent.length, parent: Int32Array.from(parent), functionRow: Uint32Array.from(functionRow) },
    labelSets: Array.from(rowOfLabelSet.keys(), (row) => labelSets[row]!),
    stackRow: (row) => rowOfStack.get(row)!,
    labelSetRow: (row) => rowOfLabelSet.get(row)!,
  };
}

/** One profile of the flush, for the peers. */
export function flushToProfile(flush: Flush, profile: FlushProfile): Profile {
  const { functions, stacks, labelSets, stackRow, labelSetRow } = localTables({ ...flush, transactions: [] }, [profile]);
  return {
    type: parseProfileTypeId(profile.typeId),
    startMs: flush.startMs,
    durationMs: FLUSH_MS,
    functions,
    stacks,
    labelSets,
    sampleStack: profile.stack.map(stackRow),
    sampleLabelSet: profile.labelSet.map(labelSetRow),
    sampleValue: profile.value,
    sampleCount: profile.count,
  };
}

/** The flush as the batch that our agent would send: absolute file names, all its profile types. */
export function flushToBatch(flush: Flush, service: string): Batch {
  const { functions, stacks, labelSets, stackRow, labelSetRow } = localTables(flush, flush.profiles);
  const rootDir = `/srv/${flush.population.program}`;
  return {
    process: {
      id: createHash('sha256').update(`${service} ${flush.process}`).digest('hex').slice(0, 32),
      service,
      environment: 'bench',
      startedAtMs: flush.startMs - flush.sequence * FLUSH_MS,
      host: `host-${flush.process % 20}`,
      pid: flush.process + 1,
      nodeVersion: process.version,
      agentVersion: '0.1.0',
      rateHz: 99,
      revision: `release-${flush.revision}`,
      revisionSource: 'option',
      isDirty: false,
      version: '1.0.0',
      rootDir,
      labels: [],
    },
    sequence: flush.sequence,
    startMs: flush.startMs,
    durationMs: FLUSH_MS,
    functions: {
      length: functions.length,
      name: functions.name,
      scriptName: functions.file.map((file, row) => {
        const packageName = functions.package[row]!;
        const script = scriptNameOf({ package: packageName, file });
        return packageName === NATIVE_PACKAGE || packageName === NODE_PACKAGE ? script : `file://${rootDir}/${script}`;
      }),
      line: new Uint32Array(functions.length),
    },
    stacks,
    labelSets,
    profiles: flush.profiles.map(({ typeId, stack, labelSet, value, count }) => ({
      typeId,
      lines: 'none',
      sampleStack: stack.map(stackRow),
      sampleLabelSet: labelSet.map(labelSetRow),
      sampleValue: value,
      sampleCount: count,
    })),
    transactions: flush.transactions.map((one) => ({ ...one, labelSet: labelSetRow(one.labelSet) })),
    series: flush.series,
    report: { droppedBatches: 0, droppedSamples: 0, lateLabels: 0, foldedLabelSets: 0, restartedSamplers: 0 },
    exemplars: [],
  };
}
