import type { CallTree, FunctionTotals, StackTable } from '@hearth/profile-model';
import { callTree, functionTotals, limitCallTree } from '@hearth/profile-model';

/** Runs in a pool thread: a service may have a hundred thousand stacks. */
export type CallTreeTask =
  | {
      readonly want: 'tree';
      readonly stacks: StackTable;
      readonly self: Float64Array;
      readonly rootSelf: number;
      readonly maxNodes: number;
    }
  | { readonly want: 'functions'; readonly stacks: StackTable; readonly self: Float64Array; readonly functionCount: number };

export interface LimitedTree {
  readonly tree: CallTree;
  readonly truncatedNodes: number;
  readonly truncatedValue: number;
}

export function run(task: CallTreeTask): LimitedTree | FunctionTotals {
  if (task.want === 'functions') return functionTotals(task.stacks, task.self, task.functionCount);
  return limitCallTree(callTree(task.stacks, task.self, task.rootSelf), task.maxNodes);
}
