import { Injectable } from '@nestjs/common';
import { NO_PARENT, type FunctionTable, type FunctionTotals, type StackTable, type TimeRange } from '@hearth/profile-model';
import type { FlameGraphAnswer, FunctionsAnswer, MinifiedFileAnswer, Selection } from '@hearth/query-contract';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import { Cover } from '../rollup/index.js';
import { isSameRange, SelectionResolver, type ProfileScope } from '../selection/index.js';
import { MinifiedCode } from '../source-maps/index.js';
import type { CallTreeTask, LimitedTree } from './call-tree.worker.js';
import type { ExportTask } from './export.worker.js';
import { flameGraphColumns } from './flame-graph-columns.js';
import { functionRows, type FunctionRowsRequest } from './function-rows.js';
import { averageOverTime } from './level-average.js';
import { wireNumber } from './wire-number.js';

const CALL_TREE_FILE = 'features/query/call-tree.worker.js';
const EXPORT_FILE = 'features/query/export.worker.js';
/** Longest range that is exported with its label sets. */
const LABELLED_EXPORT_MS = 2 * 3_600_000;

/** The values of a selection as every view shows them: flows summed, levels averaged over the time their processes lived. */
interface SelectedValues {
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  /** By stack. */
  readonly self: Float64Array;
  /** Of samples without frames. */
  readonly rootSelf: number;
  readonly sum: number;
  readonly samples: number;
}

export interface ExportedFile {
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** Flame graph, function table and export of one selection: three views of the same values, so their figures agree. */
@Injectable()
export class ProfileQueries {
  constructor(
    readonly selections: SelectionResolver,
    readonly cover: Cover,
    readonly pool: WorkerPool,
    readonly minified: MinifiedCode,
  ) {}

  async flameGraph(projectId: number, request: Selection, signal: AbortSignal): Promise<FlameGraphAnswer> {
    const { scope, values } = await this.#values(projectId, request, signal);
    const { stacks, self, rootSelf } = values;
    const limited = await this.#inPool<LimitedTree>({ want: 'tree', stacks, self, rootSelf, maxNodes: request.maxNodes }, signal);
    return {
      selection: scope.selection,
      unit: scope.type.sampleUnit,
      kind: scope.kind,
      ...flameGraphColumns(values.functions, limited.tree),
      sum: wireNumber(values.sum),
      samples: values.samples,
      truncated: { nodes: limited.truncatedNodes, value: wireNumber(limited.truncatedValue) },
      minified: await this.#minified(scope, values.functions),
    };
  }

  async functions(projectId: number, request: Selection & FunctionRowsRequest, signal: AbortSignal): Promise<FunctionsAnswer> {
    const { scope, values } = await this.#values(projectId, request, signal);
    const { functions, stacks, self, sum, samples } = values;
    const totals = await this.#inPool<FunctionTotals>(
      { want: 'functions', stacks, self, functionCount: functions.length },
      signal,
    );
    return {
      selection: scope.selection,
      unit: scope.type.sampleUnit,
      sum: wireNumber(sum),
      samples,
      ...functionRows(functions, totals, request),
      minified: await this.#minified(scope, functions),
    };
  }

  async export(
    projectId: number,
    request: Selection & { readonly format: 'pprof' | 'folded' },
    signal: AbortSignal,
  ): Promise<ExportedFile> {
    const { scope, rows } = await this.#exportRows(projectId, request, signal);
    const { fromMs, untilMs } = scope.range;
    const task: ExportTask = {
      head: { type: scope.type, startMs: fromMs, durationMs: untilMs - fromMs },
      rows,
      format: request.format,
      levelMs: scope.kind === 'level' ? livedMs(scope) : undefined,
    };
    const bytes = await this.pool.run<ExportTask, Uint8Array>(EXPORT_FILE, task, { signal });
    const name = `${fileNamePart(scope.service.name)}-${fileNamePart(scope.type.sampleType)}-${new Date(fromMs).toISOString().replaceAll(':', '')}`;
    return request.format === 'folded'
      ? { name: `${name}.folded.txt`, contentType: 'text/plain; charset=utf-8', bytes }
      : { name: `${name}.pb.gz`, contentType: 'application/octet-stream', bytes };
  }

  async #values(
    projectId: number,
    request: Selection,
    signal: AbortSignal,
  ): Promise<{ readonly scope: ProfileScope; readonly values: SelectedValues }> {
    const asked = await this.selections.resolve(projectId, request);
    const merged = await this.cover.merged({ ...asked.query, profileTypeId: asked.profileTypeId, signal });
    const scope = await this.#answered(projectId, asked, merged.range);
    const { functions, stacks, samples } = merged;
    if (scope.kind === 'flow')
      return { scope, values: { functions, stacks, self: merged.self, rootSelf: merged.rootSelf, sum: merged.sum, samples } };
    const self = averageOverTime(merged.self, livedMs(scope));
    const rootSelf = Math.round(merged.rootSelf / livedMs(scope));
    const sum = self.reduce((total, value) => total + value, rootSelf);
    return { scope, values: { functions, stacks, self, rootSelf, sum, samples } };
  }

  /** What would cut a range may expire after it was resolved: then more was answered, by processes of more time, and the scope is that of the answer. */
  async #answered(projectId: number, asked: ProfileScope, range: TimeRange): Promise<ProfileScope> {
    if (isSameRange(asked.range, range)) return asked;
    const scope = await this.selections.resolveAgain(projectId, { ...asked.selection, ...range });
    return { ...scope, range, selection: { ...scope.selection, ...range } };
  }

  /** Label sets go with a short range, for filters in other tools; over a long one they would be too many rows. */
  async #exportRows(
    projectId: number,
    request: Selection,
    signal: AbortSignal,
  ): Promise<{ readonly scope: ProfileScope; readonly rows: ExportTask['rows'] }> {
    const asked = await this.selections.resolve(projectId, request);
    const query = { ...asked.query, profileTypeId: asked.profileTypeId, signal };
    const { fromMs, untilMs } = asked.range;
    if (untilMs - fromMs > LABELLED_EXPORT_MS) {
      const { functions, stacks, self, rootSelf, range } = await this.cover.merged(query);
      const rows = { functions, stacks, labelSets: [], ...rowsByStack(self, rootSelf) };
      return { scope: await this.#answered(projectId, asked, range), rows };
    }
    const labelSets = [...asked.labelSets.values()];
    const rowOfLabelSet = new Map(Array.from(asked.labelSets.keys(), (id, row) => [id, row]));
    const { functions, stacks, stackId, group, value, count, range } = await this.cover.byProcess(query, rowOfLabelSet);
    const rows = { functions, stacks, labelSets, stackId, labelSetRow: group, value, count };
    return { scope: await this.#answered(projectId, asked, range), rows };
  }

  async #minified({ query, range }: ProfileScope, functions: FunctionTable): Promise<MinifiedFileAnswer[]> {
    return this.minified.withoutMaps({ serviceId: query.serviceId, revisionIds: query.revisionIds, range }, functions);
  }

  async #inPool<Result>(task: CallTreeTask, signal: AbortSignal): Promise<Result> {
    return this.pool.run<CallTreeTask, Result>(CALL_TREE_FILE, task, { signal });
  }
}

function livedMs({ observedMs, range }: ProfileScope): number {
  return observedMs || range.untilMs - range.fromMs;
}

/** How many raw samples are behind a stack is not known here: one each. */
function rowsByStack(
  self: Float64Array,
  rootSelf: number,
): Pick<ExportTask['rows'], 'stackId' | 'labelSetRow' | 'value' | 'count'> {
  const used = [...(rootSelf > 0 ? [NO_PARENT] : []), ...Array.from(self.keys()).filter((stack) => self[stack] !== 0)];
  return {
    stackId: Int32Array.from(used),
    labelSetRow: new Int32Array(used.length),
    value: Float64Array.from(used, (stack) => (stack === NO_PARENT ? rootSelf : self[stack]!)),
    count: new Float64Array(used.length).fill(1),
  };
}

/** What a service is called may hold anything; what a file is called may not. */
function fileNamePart(text: string): string {
  return text.replaceAll(/[^\w.-]+/g, '_').slice(0, 80);
}
