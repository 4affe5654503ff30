import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Injectable } from '@nestjs/common';
import type { FunctionTable, FunctionTotals, StackTable } from '@hearth/profile-model';
import { profileToFolded, profilesToPprof } from '@hearth/profile-formats';
import type { FlameGraphAnswer, FunctionsAnswer, Selection } from '@hearth/query-contract';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import { Cover } from '../rollup/index.js';
import { SelectionResolver, type ProfileScope } from '../selection/index.js';
import type { CallTreeTask, LimitedTree } from './call-tree.worker.js';
import { exportProfile, type ExportRows } from './export-profile.js';
import { flameGraphColumns } from './flame-graph-columns.js';
import { functionRows, type FunctionRowsRequest } from './function-rows.js';
import { averageOverTime } from './level-average.js';
import { wireNumber } from './wire-number.js';

const CALL_TREE_FILE = 'features/query/call-tree.worker.js';

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
  ) {}

  async flameGraph(projectId: number, request: Selection, signal: AbortSignal): Promise<FlameGraphAnswer> {
    const scope = await this.selections.resolve(projectId, request);
    const values = await this.#values(scope, signal);
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
    };
  }

  async functions(projectId: number, request: Selection & FunctionRowsRequest, signal: AbortSignal): Promise<FunctionsAnswer> {
    const scope = await this.selections.resolve(projectId, request);
    const { functions, stacks, self, sum, samples } = await this.#values(scope, signal);
    const totals = await this.#inPool<FunctionTotals>({ want: 'functions', stacks, self, functionCount: functions.length }, signal);
    return { selection: scope.selection, unit: scope.type.sampleUnit, sum: wireNumber(sum), samples, ...functionRows(functions, totals, request) };
  }

  async export(projectId: number, request: Selection & { readonly format: 'pprof' | 'folded' }, signal: AbortSignal): Promise<ExportedFile> {
    const scope = await this.selections.resolve(projectId, request);
    const { fromMs, untilMs } = scope.range;
    const profile = exportProfile({ type: scope.type, startMs: fromMs, durationMs: untilMs - fromMs }, await this.#exportRows(scope, signal));
    const name = `${fileNamePart(scope.service.name)}-${fileNamePart(scope.type.sampleType)}-${new Date(fromMs).toISOString().replaceAll(':', '')}`;
    if (request.format === 'folded') {
      return { name: `${name}.folded.txt`, contentType: 'text/plain; charset=utf-8', bytes: Buffer.from(profileToFolded(profile)) };
    }
    return { name: `${name}.pb.gz`, contentType: 'application/octet-stream', bytes: await promisify(gzip)(profilesToPprof([profile])) };
  }

  async #values(scope: ProfileScope, signal: AbortSignal): Promise<SelectedValues> {
    const merged = await this.cover.merged({ ...scope.query, profileTypeId: scope.profileTypeId, signal });
    const { functions, stacks, samples } = merged;
    const withoutStack = merged.sum - sumOf(merged.self);
    if (scope.kind === 'flow') return { functions, stacks, self: merged.self, rootSelf: withoutStack, sum: merged.sum, samples };
    const observedMs = scope.observedMs || scope.range.untilMs - scope.range.fromMs;
    const self = averageOverTime(merged.self, observedMs);
    // Value x time may pass 2^53: what is left of the difference then is rounding.
    const rootSelf = Math.max(0, Math.round(withoutStack / observedMs));
    return { functions, stacks, self, rootSelf, sum: sumOf(self) + rootSelf, samples };
  }

  async #inPool<Result>(task: CallTreeTask, signal: AbortSignal): Promise<Result> {
    return this.pool.run<CallTreeTask, Result>(CALL_TREE_FILE, task, { signal });
  }
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** What a service is called may hold anything; what a file is called may not. */
function fileNamePart(text: string): string {
  return text.replaceAll(/[^\w.-]+/g, '_').slice(0, 80);
}
