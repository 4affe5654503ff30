import { Injectable } from '@nestjs/common';
import type { DurationMs, FunctionTable, StackTable } from '@hearth/profile-model';
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
  type StepGroups,
  type StepValues,
  type StoredQuery,
} from '../profile-store/index.js';
import { StackDictionaries, StackError } from '../stacks/index.js';

const MERGE_FILE = 'features/profile-store/merge.worker.js';

/** Which profiles; ids of the catalog. A flush belongs to the range that holds its start, and is never cut. */
export interface CoverQuery extends StoredQuery {
  readonly signal?: AbortSignal | undefined;
  /** Default `recent`. What is kept for ever, as a comparison, asks for `latest`. */
  readonly freshness?: Freshness | undefined;
}

export interface MergedProfiles extends MergedValues {
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
}

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

  /** One value per stack of the service's dictionary. */
  async merged(query: CoverQuery): Promise<MergedProfiles> {
    const { tables, values } = await this.#merge<MergedValues>(query, 'totals', { want: 'merged' });
    return { ...tables, ...values };
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
  async byProcess(query: CoverQuery, groupOfLabelSet: LabelSetGroups, grain: ProcessGrain = 'window'): Promise<ProcessValues> {
    return (await this.#merge<ProcessValues>(query, 'detail', { want: 'processes', groupOfLabelSet, grain })).values;
  }

  /** A text that changes whenever profiles arrive in what `query` selects, processes and labels aside. Cheap. */
  async version({ signal: _signal, freshness: _freshness, ...query }: CoverQuery): Promise<string> {
    return this.#snapshots.version(query);
  }

  async #merge<Values>({ signal, freshness = 'recent', ...query }: CoverQuery, want: 'totals' | 'detail', request: MergeRequest) {
    try {
      const stored = await this.#snapshots.read(query, { want, signal, freshness });
      // Read last, and never from a replica: it holds every stack that the profiles name.
      const tables = await this.#dictionaries.snapshot(query.serviceId);
      const { fromMs, untilMs, processIds, labelSetIds } = query;
      const task: MergeTask = {
        ...request,
        stored,
        filter: { fromMs, untilMs, processIds, labelSetIds },
        stackCount: tables.stacks.length,
      };
      const outcome = await this.#pool.run<MergeTask, CodedOutcome<Values>>(MERGE_FILE, task, {
        transferList: [stored.segments.buffer, stored.blocks.buffer],
        ...(signal === undefined ? {} : { signal }),
      });
      return { tables, values: resultOf(outcome) };
    } catch (error) {
      if (signal?.aborted) throw queryCancelled(error);
      // Damage is not the reader's fault, but its code tells whoever operates the server what to restore.
      if (error instanceof StoreError || error instanceof StackError)
        throw new HearthError(error.code, error.message, { status: 500, cause: error });
      throw error;
    }
  }
}
