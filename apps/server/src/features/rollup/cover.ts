import { Injectable } from '@nestjs/common';
import { FunctionInterner, type DurationMs, type FunctionTable, type StackTable } from '@hearth/profile-model';
import type { Freshness } from '../../platform/database/index.js';
import { HearthError } from '../../platform/http/hearth-error.js';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import {
  queryCancelled,
  resultOf,
  SnapshotRepository,
  StoreError,
  WINDOW_MS,
  type CodedOutcome,
  type LabelSetGroups,
  type MergedValues,
  type MergeTask,
  type ProcessGrain,
  type ProcessValues,
  type SnapshotOptions,
  type StepGroups,
  type StepValues,
  type StoredProfiles,
  type StoredQuery,
} from '../profile-store/index.js';
import { epochRange, StackDictionaries, StackError, type Epoch, type StackTables } from '../stacks/index.js';

const MERGE_FILE = 'features/profile-store/merge.worker.js';
/** Of one question, while epochs are dropped. */
const MAX_READS = 3;
const NO_STACKS: StackTable = { length: 0, parent: new Int32Array(), functionRow: new Uint32Array() };

/** Which profiles; ids of the catalog. A flush belongs to the range that holds its start, and is never cut. */
export interface CoverQuery extends StoredQuery {
  readonly signal?: AbortSignal | undefined;
  /** Default `recent`. What is kept for ever, as a comparison, asks for `latest`. */
  readonly freshness?: Freshness | undefined;
}

/** Values by stack, and the stacks: those of the dictionary, or of several epochs joined. */
type OverTables<Values> = Omit<Values, 'joined'> & StackTables;

type MergeRequest =
  | { readonly want: 'merged' }
  | { readonly want: 'steps'; readonly stepMs: DurationMs; readonly groupOf: StepGroups }
  | { readonly want: 'processes'; readonly groupOfLabelSet: LabelSetGroups; readonly grain: ProcessGrain };

/** The threads that merge: what `WorkerPool` has of use here. */
export type MergePool = Pick<WorkerPool, 'run'>;

/**
 * Answers over stored profiles: segments, and the blocks that no segment holds yet, as they are at one moment. The answer
 * equals the merge of the raw profiles, whatever has been built.
 *
 * Levels are value x milliseconds: divide by the time they cover (`observedMs`: of all processes together) to show them.
 *
 * All methods throw {HearthError} `QUERY_CANCELLED`, `QUERY_TIMEOUT`, `SELECTION_TOO_LARGE`, and the codes of {StoreError} and {StackError} if what is stored is damaged.
 */
@Injectable()
export class Cover {
  readonly #snapshots: SnapshotRepository;
  readonly #dictionaries: StackDictionaries;
  readonly #pool: MergePool;

  constructor(snapshots: SnapshotRepository, dictionaries: StackDictionaries, pool: WorkerPool) {
    this.#snapshots = snapshots;
    this.#dictionaries = dictionaries;
    this.#pool = pool;
  }

  /** One value per stack. */
  async merged(query: CoverQuery): Promise<OverTables<MergedValues>> {
    return overTables(await this.#merge<MergedValues>(query, 'totals', { want: 'merged' }));
  }

  /**
   * One value per step, for each group. Steps are aligned to the epoch; the first and the last count only what lies within the range.
   *
   * @param stepMs Whole minutes are far cheaper than less.
   */
  async steps(query: CoverQuery, stepMs: DurationMs, groupOf: StepGroups): Promise<StepValues> {
    const needsFlushes = groupOf === 'process' || stepMs % WINDOW_MS !== 0;
    return (await this.#merge<StepValues>(query, needsFlushes ? 'detail' : 'totals', { want: 'steps', stepMs, groupOf })).values;
  }

  /**
   * Values kept apart by process and minute (or flush), with label sets folded into groups.
   *
   * @param groupOfLabelSet Label sets that it does not name are in group −1.
   */
  async byProcess(
    query: CoverQuery,
    groupOfLabelSet: LabelSetGroups,
    grain: ProcessGrain = 'window',
  ): Promise<OverTables<ProcessValues>> {
    return overTables(await this.#merge<ProcessValues>(query, 'detail', { want: 'processes', groupOfLabelSet, grain }));
  }

  /** A text that changes whenever profiles arrive in what `query` selects, processes and labels aside. Cheap. */
  async version({ signal: _signal, freshness: _freshness, ...query }: CoverQuery): Promise<string> {
    return this.#snapshots.version(query);
  }

  async #merge<Values>({ signal, freshness = 'recent', ...query }: CoverQuery, want: 'totals' | 'detail', request: MergeRequest) {
    try {
      const { stored, tables } = await this.#read(query, { want, signal, freshness });
      const { fromMs, untilMs, processIds, labelSetIds } = query;
      const { functions, functionRowOf } = joinFunctions(tables.map((one) => one.functions));
      const task: MergeTask = {
        ...request,
        stored,
        filter: { fromMs, untilMs, processIds, labelSetIds },
        epochs: tables.map(({ epoch, stacks }, at) => ({ ...epochRange(epoch), stacks, functionRow: functionRowOf[at]! })),
      };
      const outcome = await this.#pool.run<MergeTask, CodedOutcome<Values>>(MERGE_FILE, task, {
        transferList: [stored.segments.buffer, stored.blocks.buffer],
        ...(signal === undefined ? {} : { signal }),
      });
      return { functions, stacks: tables[0]?.stacks ?? NO_STACKS, values: resultOf(outcome) };
    } catch (error) {
      if (signal?.aborted) throw queryCancelled(error);
      // Damage is not the reader's fault, but its code tells whoever operates the server what to restore.
      if (error instanceof StoreError || error instanceof StackError)
        throw new HearthError(error.code, error.message, { status: 500, cause: error });
      throw error;
    }
  }

  /** What is stored, and the dictionaries that hold every stack of it. */
  async #read(
    query: StoredQuery,
    options: SnapshotOptions,
  ): Promise<{ stored: StoredProfiles; tables: readonly (StackTables & { readonly epoch: Epoch })[] }> {
    let { freshness } = options;
    for (let attempt = 1; ; attempt += 1) {
      const { epochs, ...stored } = await this.#snapshots.read(query, { ...options, freshness });
      try {
        const tables = await Promise.all(
          epochs.map(async (used) => ({ epoch: used.epoch, ...(await this.#dictionaries.snapshot(used, used)) })),
        );
        return { stored, tables };
      } catch (error) {
        // Dropped since, and what was read with it: a newer snapshot has neither.
        if (!(error instanceof StackError && error.code === 'STACK_EPOCH_GONE') || attempt === MAX_READS) throw error;
        freshness = 'latest'; // a replica may show it for some time yet
      }
    }
  }
}

/** One table of the functions of all epochs, and the row in it of each of theirs. Of one epoch it is its own, and nobody asks for rows. */
function joinFunctions(tables: readonly FunctionTable[]): {
  functions: FunctionTable;
  functionRowOf: readonly Uint32Array[];
} {
  if (tables.length === 1) return { functions: tables[0]!, functionRowOf: [new Uint32Array()] };
  const joined = new FunctionInterner();
  const functionRowOf = tables.map((table) => joined.addAll(table));
  return { functions: joined.table(), functionRowOf };
}

function overTables<Values extends { readonly joined: StackTable | undefined }>({
  functions,
  stacks,
  values: { joined, ...values },
}: StackTables & { readonly values: Values }) {
  return { ...values, functions, stacks: joined ?? stacks };
}
