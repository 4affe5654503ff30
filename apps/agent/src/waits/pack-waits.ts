import { NO_PARENT, PROFILE_TYPE_IDS } from '@hearth/profile-model';
import type { BatchProfile } from '@hearth/wire-format';
import { ConservingRounder } from '../batching/conserving-rounder.js';
import { TIME_STEP_MICROS } from '../batching/pack-samples.js';
import { SampleColumns } from '../batching/sample-columns.js';
import type { RawFunction, StackTables } from '../samplers/stack-tables.js';
import type { OperationIndex, OperationTable } from './operation-table.js';
import type { WaitPeriod, WaitTotal } from './wait-ledger.js';

/** Libraries that are packages of their own; the others are Node's. */
const PACKAGES = new Set(['pg', 'mysql2', 'ioredis', 'mongodb']);

/** An operation is shown in its library's package, without a file. */
function scriptOf(library: string): string {
  return PACKAGES.has(library) ? `node_modules/${library}` : `node:${library}`;
}

/** Makes the profiles of a batch from what was waited for. */
export class WaitPacker {
  readonly #operations: OperationTable;
  readonly #rounder = new ConservingRounder();
  readonly #awaitedRounder = new ConservingRounder();

  constructor(operations: OperationTable) {
    this.#operations = operations;
  }

  /**
   * The stacks that were seen share the exact total of their operation; one of which none was seen is a stack of its own. Times are in steps
   * as those of samples are: what is cut off one row goes to the next, and the last period gives out the rest.
   */
  pack({ totals, awaited }: WaitPeriod, tables: StackTables, isLast: boolean): BatchProfile[] {
    const wait = new SampleColumns();
    for (const total of totals) this.#addShares(wait, total, total.labelSet, tables);
    const union = new SampleColumns();
    for (const { labelSet, micros, count } of awaited) union.add(NO_PARENT, labelSet, micros, count);
    const step = isLast ? 1 : TIME_STEP_MICROS;
    return [
      wait.toProfile(PROFILE_TYPE_IDS.wait, (micros) => this.#rounder.round(micros, step)),
      union.toProfile(PROFILE_TYPE_IDS.awaited, (micros) => this.#awaitedRounder.round(micros, step)),
    ];
  }

  /** What an operation is called as the last function of a stack. */
  leafOf(operation: OperationIndex): RawFunction {
    return { name: this.#operations.name(operation), scriptName: scriptOf(this.#operations.library(operation)), line: 0 };
  }

  #addShares(
    columns: SampleColumns,
    { operation, micros, count, stacks }: WaitTotal,
    labelSet: number,
    tables: StackTables,
  ): void {
    const leaf = this.leafOf(operation);
    const allWeight = stacks.reduce((sum, { weight }) => sum + weight, 0);
    if (!(allWeight > 0)) return columns.add(tables.stackRowOfFrames([leaf]), labelSet, micros, count);
    let [seen, countBefore] = [0, 0];
    for (const { framesRootFirst, weight } of stacks) {
      seen += weight;
      const countSoFar = Math.round((count * seen) / allWeight); // whole, and as many as there were in the end
      columns.add(
        tables.stackRowOfFrames([...framesRootFirst, leaf]),
        labelSet,
        (micros * weight) / allWeight,
        countSoFar - countBefore,
      );
      countBefore = countSoFar;
    }
  }
}
