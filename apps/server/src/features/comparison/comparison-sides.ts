import { Injectable } from '@nestjs/common';
import type { DurationMs } from '@hearth/profile-model';
import { TRANSACTION_LABEL, labelValue } from '@hearth/profile-model';
import type { ComparisonRequest } from '@hearth/query-contract';
import { comparisonRequestSchema } from '@hearth/query-contract';
import type { Freshness } from '../../platform/database/index.js';
import { HearthError } from '../../platform/http/index.js';
import { Catalog, type ProcessRow } from '../catalog/index.js';
import { WindowRepository, windowStart } from '../profile-store/index.js';
import { Cover } from '../rollup/index.js';
import { isSameRange, SelectionResolver, type ProfileScope, type ResolveOptions } from '../selection/index.js';
import { MinifiedCode } from '../source-maps/index.js';
import { TransactionWindows } from '../transactions/index.js';
import type { ComparisonRows, SelectedProcess, SideRows } from './build-comparison-input.js';
import { comparisonId } from './comparison-id.js';
import { withoutPartialCounts } from './expired-counts.js';
import type { NewComparison } from './comparison.repository.js';

const READ_TRIES = 5;
/** What is kept under the version of its input holds all of that input: a replica may not have it yet. */
const FRESHNESS: Freshness = 'latest';
const RESOLVE: ResolveOptions = { grain: 'minutes', freshness: FRESHNESS };

/** Reads the two sides of a comparison: what they are when it is asked for, and their samples when it is run. */
@Injectable()
export class ComparisonSides {
  constructor(
    readonly selections: SelectionResolver,
    readonly catalog: Catalog,
    readonly cover: Cover,
    readonly transactionWindows: TransactionWindows,
    readonly windows: WindowRepository,
    readonly minified: MinifiedCode,
  ) {}

  /**
   * The comparison that is asked for. Open ends (`now`) become instants here, once for both sides.
   *
   * @throws {HearthError} `COMPARISON_SERVICES_DIFFER`, `COMPARISON_TYPES_DIFFER`, and those of a selection
   */
  async identify(projectId: number, request: ComparisonRequest, nowMs = Date.now()): Promise<NewComparison> {
    const { baseline, candidate } = comparisonRequestSchema.parse(request);
    const options = { ...RESOLVE, nowMs };
    const [a, b] = await Promise.all([
      this.selections.resolve(projectId, baseline, options),
      this.selections.resolve(projectId, candidate, options),
    ]);
    assertComparable(a, b);
    const [versionOfA, versionOfB] = await Promise.all([this.windows.versionOf(queryOf(a)), this.windows.versionOf(queryOf(b))]);
    const id = comparisonId(
      a.service.id,
      { selection: a.selection, inputVersion: versionOfA },
      { selection: b.selection, inputVersion: versionOfB },
    );
    return { serviceId: a.service.id, id, projectId, baseline: a.selection, candidate: b.selection };
  }

  /** Everything that `compare` needs, as it is stored now. */
  async gather({ projectId, baseline, candidate }: NewComparison, signal: AbortSignal): Promise<ComparisonRows> {
    const [a, b] = await Promise.all([
      this.selections.resolveAgain(projectId, baseline, RESOLVE),
      this.selections.resolveAgain(projectId, candidate, RESOLVE),
    ]);
    assertComparable(a, b);
    const { transactions, groupOfLabelSet } = transactionsOf(a);
    // One after the other: each side may fill the memory of several threads.
    const baselineRows = await this.#settledSide(a, groupOfLabelSet, signal);
    const candidateRows = await this.#settledSide(b, groupOfLabelSet, signal);
    const rows = {
      unit: a.type.sampleUnit,
      kind: a.kind,
      transactions,
      minifiedFiles: await this.#minifiedFiles([
        [a, baselineRows],
        [b, candidateRows],
      ]),
      baseline: baselineRows,
      candidate: candidateRows,
    };
    return withoutPartialCounts(rows, {
      baseline: await this.transactionWindows.countedSince(a.query, FRESHNESS),
      candidate: await this.transactionWindows.countedSince(b.query, FRESHNESS),
    });
  }

  /** Of either side: names of the other are no others. */
  async #minifiedFiles(sides: readonly (readonly [ProfileScope, SideRows])[]): Promise<string[]> {
    const files = new Set<string>();
    for (const [{ query }, { functions, fromMs, untilMs }] of sides) {
      const scope = { serviceId: query.serviceId, revisionIds: query.revisionIds, range: { fromMs, untilMs } };
      for (const { file } of await this.minified.among(scope, functions)) files.add(file);
    }
    return [...files].sort();
  }

  /**
   * A batch that is committed between the reading of samples and of counts would be half in, and minutes that are let go meanwhile make the
   * range grow: then both are read again. A range that changes faster than it can be read is taken as it is, after some tries: half a batch
   * is little of it.
   */
  async #settledSide(scope: ProfileScope, groupOfLabelSet: ReadonlyMap<number, number>, signal: AbortSignal): Promise<SideRows> {
    let query = queryOf(scope);
    for (let before = await this.windows.versionOf(query), triesLeft = READ_TRIES; ; triesLeft -= 1) {
      const rows = await this.#side(scope, query, groupOfLabelSet, signal);
      const { fromMs, untilMs } = rows;
      const answered = { ...query, fromMs, untilMs };
      const after = await this.windows.versionOf(answered);
      if ((after === before && isSameRange(answered, query)) || triesLeft === 1) return rows;
      [before, query] = [after, answered];
    }
  }

  async #side(
    scope: ProfileScope,
    query: ReturnType<typeof queryOf>,
    groupOfLabelSet: ReadonlyMap<number, number>,
    signal: AbortSignal,
  ): Promise<SideRows> {
    const asked = { ...query, signal, freshness: FRESHNESS };
    const { functions, stacks, observed, range, ...samples } = await this.cover.byProcess(asked, groupOfLabelSet);
    const profiledMs = new Map(Array.from(observed.processId, (id, row) => [id, observed.observedMs[row]!]));
    const counts = (await this.transactionWindows.read({ ...query, ...range }, FRESHNESS)).flatMap(
      ({ processId, windowStartMs, labelSetId, outcome, count, durationSumMicros }) => {
        const transaction = groupOfLabelSet.get(labelSetId);
        const errors = outcome === 'error' || outcome === 'timeout' ? count : 0;
        if (transaction === undefined || !profiledMs.has(processId)) return [];
        // Counts are per minute; they go into the windows that the samples have.
        const windowOfSamplesMs = windowStart(windowStartMs, samples.windowMs);
        return [{ processId, windowStartMs: windowOfSamplesMs, transaction, count, errors, durationSumMicros }];
      },
    );
    // A process that was not profiled is no replicate: its transactions would seem to cost nothing.
    const processes = (await this.catalog.processes(scope.service.id)).filter((process) => profiledMs.has(process.id));
    return {
      ...range,
      functions,
      stacks,
      processes: processes.map((process) => selectedProcess(process, profiledMs.get(process.id) ?? 0)),
      samples,
      counts,
    };
  }
}

function queryOf({ query, profileTypeId }: ProfileScope) {
  return { ...query, profileTypeId };
}

function assertComparable(a: ProfileScope, b: ProfileScope): void {
  if (a.service.id !== b.service.id) {
    throw new HearthError(
      'COMPARISON_SERVICES_DIFFER',
      `${a.service.name} and ${b.service.name} are two services: choose two releases, times or labels of one`,
    );
  }
  if (a.profileTypeId !== b.profileTypeId) {
    throw new HearthError(
      'COMPARISON_TYPES_DIFFER',
      `${a.selection.type} and ${b.selection.type} measure different things: choose one type for both sides`,
    );
  }
}

/** Transactions by name, and the row of each label set's; label sets without one are left out. */
function transactionsOf({ labelSets }: ProfileScope): { transactions: string[]; groupOfLabelSet: Map<number, number> } {
  const nameOf = new Map(
    [...labelSets].flatMap(([id, labels]) => {
      const name = labelValue(labels, TRANSACTION_LABEL);
      return name === undefined ? [] : [[id, name] as const];
    }),
  );
  const transactions = [...new Set(nameOf.values())].sort();
  const rowOf = new Map(transactions.map((name, row) => [name, row]));
  return { transactions, groupOfLabelSet: new Map([...nameOf].map(([id, name]) => [id, rowOf.get(name)!])) };
}

function selectedProcess(process: ProcessRow, profiledMs: DurationMs): SelectedProcess {
  return {
    processId: process.id,
    id: process.key,
    startedAtMs: process.startedAtMs,
    seconds: profiledMs / 1000,
    nodeVersion: process.nodeVersion,
    agentVersion: process.agentVersion,
    rateHz: process.rateHz,
    droppedBatches: process.droppedBatches,
  };
}
