import { Injectable } from '@nestjs/common';
import type { DurationMs, StackTable, TimeRange } from '@hearth/profile-model';
import type { Freshness } from '../../platform/database/index.js';
import { HearthError } from '../../platform/http/hearth-error.js';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import {
  queryCancelled,
  resultOf,
  SnapshotRepository,
  StoreError,
  WindowRepository,
  LEVELS,
  type CodedOutcome,
  type EpochStacks,
  type LabelSetGroups,
  type Level,
  type LevelName,
  type MergedValues,
  type MergeTask,
  type ProcessValues,
  type Snapshot,
  type SnapshotOptions,
  type StepGroups,
  type StepValues,
  type StoredQuery,
  type WindowSelection,
} from '../profile-store/index.js';
import {
  epochRange,
  joinFunctions,
  pinnedRevisionOf,
  StackDictionaries,
  StackError,
  type Epoch,
  type StackTables,
} from '../stacks/index.js';
import { AnswerCache, keptBytes } from './answer-cache.js';

/** Flushes of a range arrive until some seconds after it. */
const OVER_AFTER_MS: DurationMs = 60_000;
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

interface Answered {
  /** What was really merged: wider than asked where what would cut it has expired, since it was resolved too. */
  readonly range: TimeRange;
}
type MergedProfiles = OverTables<MergedValues> & Answered;
type ProfilesByProcess = OverTables<ProcessValues> & Answered;

/** How fine a range can still be told apart. */
export interface Resolution {
  /** It may be cut here; wider than asked where it may not. */
  readonly range: TimeRange;
  /** Within it values are known for windows of this length: a minute and its flushes, an hour or a day. */
  readonly windowMs: DurationMs;
}

type Found = Pick<Snapshot, 'longestMs' | 'range'>;
type MergeRequest =
  | { readonly want: 'merged' }
  | { readonly want: 'steps'; readonly stepMs: DurationMs; readonly groupOf: StepGroups }
  | { readonly want: 'processes'; readonly groupOfLabelSet: LabelSetGroups; readonly windowMs: DurationMs };

/**
 * Answers over stored profiles: days and hours in the middle, minutes at the ends, and the blocks that no segment holds yet, as they are at one
 * moment. The answer equals the merge of the raw profiles, whatever has been built. Where minutes have been merged into hours for good, a range
 * grows to whole hours, and the answer says so; likewise with days.
 *
 * Levels are value x milliseconds: to show them, divide by the time in which the selected processes lived.
 *
 * All methods throw {HearthError} `QUERY_CANCELLED`, `QUERY_TIMEOUT`, `SELECTION_TOO_LARGE`, `PROCESS_DETAIL_EXPIRED`, and the codes of
 * {StoreError} and {StackError} if what is stored is damaged.
 */
@Injectable()
export class Cover {
  readonly #snapshots: SnapshotRepository;
  readonly #windows: WindowRepository;
  readonly #dictionaries: StackDictionaries;
  readonly #pool: WorkerPool;
  readonly #answers: AnswerCache;

  constructor(
    snapshots: SnapshotRepository,
    windows: WindowRepository,
    dictionaries: StackDictionaries,
    pool: WorkerPool,
    answers: AnswerCache,
  ) {
    this.#snapshots = snapshots;
    this.#windows = windows;
    this.#dictionaries = dictionaries;
    this.#pool = pool;
    this.#answers = answers;
  }

  /** One value per stack. */
  async merged(query: CoverQuery): Promise<MergedProfiles> {
    return this.#kept('merged', query, async () => {
      const options = { want: 'totals', coarsest: 'day' } as const;
      const { range, version, ...over } = await this.#merge<MergedValues>(query, options, () => ({ want: 'merged' }));
      const { self, joined } = over.values;
      const answer = { ...overTables(over), range };
      return { answer, version, bytes: keptBytes({ self, joined, functions: over.functions }) };
    });
  }

  /**
   * One value per step, for each group. Steps are aligned to the epoch; the first and the last count only what lies within the range.
   *
   * @param stepMs Whole minutes are far cheaper than less, whole hours and days cheaper still.
   * @throws {HearthError} `STEP_EXPIRED`: a part of the range is only known in longer windows, so that steps would be cut or the range would
   * grow; `resolution` tells
   */
  async steps(query: CoverQuery, stepMs: DurationMs, groupOf: StepGroups): Promise<StepValues> {
    const want = groupOf === 'process' || stepMs % LEVELS.minute.windowMs !== 0 ? 'detail' : 'totals';
    const request = ({ longestMs, range }: Found): MergeRequest => {
      if (stepMs % longestMs !== 0 && longestMs > LEVELS.minute.windowMs) throw stepExpired(stepMs, longestMs);
      // Figures that stand beside these steps are of the range that was asked.
      if (range.fromMs !== query.fromMs || range.untilMs !== query.untilMs) throw stepExpired(stepMs, longestMs);
      return { want: 'steps', stepMs, groupOf };
    };
    const { values } = await this.#merge<StepValues>(query, { want, coarsest: coarsestWithin(stepMs) }, request);
    return values;
  }

  /**
   * Values kept apart by process and minute, with label sets folded into groups. Where a part is only known in longer windows, all are as long as
   * those.
   *
   * @param groupOfLabelSet Label sets that it does not name are in group −1.
   */
  async byProcess(query: CoverQuery, groupOfLabelSet: LabelSetGroups): Promise<ProfilesByProcess> {
    const request = ({ longestMs }: Found): MergeRequest => ({ want: 'processes', groupOfLabelSet, windowMs: longestMs });
    const { range, ...over } = await this.#merge<ProcessValues>(query, { want: 'detail', coarsest: 'minute' }, request);
    return { ...overTables(over), range };
  }

  /** How fine a selection can still be told apart, by those of its types that are known least finely. Cheap. */
  async resolution(selection: WindowSelection, freshness: Freshness = 'recent'): Promise<Resolution> {
    const { range, longestMs } = await this.#snapshots.resolution(selection, freshness);
    return { range, windowMs: longestMs };
  }

  /** The whole days in which profiles of a revision that are still known began; `undefined`: none are. */
  async lifeOf(serviceId: number, revisionId: number): Promise<TimeRange | undefined> {
    return this.#windows.lifeOf({ serviceId, revisionId });
  }

  /** The answer that was given before, if nothing has arrived since. Only of ranges that are over: others would be made anew all the time. */
  async #kept<Answer>(
    kind: string,
    { signal: _signal, freshness: _freshness, ...query }: CoverQuery,
    make: () => Promise<{ readonly answer: Answer; readonly version: string; readonly bytes: number }>,
  ): Promise<Answer> {
    if (query.untilMs > Date.now() - OVER_AFTER_MS) return (await make()).answer;
    const question = `${kind} ${JSON.stringify(query)} `;
    const kept = this.#answers.get<Answer>(question + (await this.#windows.versionOf(query)), Date.now());
    if (kept !== undefined) return kept;
    // Kept under the version of its own moment and database: a replica may be behind the one that was asked above.
    const { answer, version, bytes } = await make();
    this.#answers.set(question + version, answer, bytes, Date.now());
    return answer;
  }

  async #merge<Values>(
    { signal, freshness = 'recent', ...query }: CoverQuery,
    options: Omit<SnapshotOptions, 'signal' | 'freshness'>,
    requestOf: (found: Found) => MergeRequest,
  ) {
    try {
      const { snapshot, tables } = await this.#read(query, { ...options, signal, freshness });
      const { stored, range, longestMs, version } = snapshot;
      const { processIds, labelSetIds } = query;
      const { functions, functionRowOf } = await joinFunctions(tables.map((one) => one.functions));
      const task: MergeTask = {
        ...requestOf({ longestMs, range }),
        stored,
        filter: { ...range, processIds, labelSetIds },
        epochs: tables.map(({ epoch, stacks }, at) => ({ of: stacksOf(epoch), stacks, functionRow: functionRowOf[at]! })),
      };
      const outcome = await this.#pool.run<MergeTask, CodedOutcome<Values>>(MERGE_FILE, task, {
        transferList: [stored.segments.buffer, stored.blocks.buffer],
        ...(signal === undefined ? {} : { signal }),
      });
      return { functions, stacks: tables[0]?.stacks ?? NO_STACKS, values: resultOf(outcome), range, version };
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
  ): Promise<{ snapshot: Snapshot; tables: readonly (StackTables & { readonly epoch: Epoch })[] }> {
    let { freshness } = options;
    for (let attempt = 1; ; attempt += 1) {
      const snapshot = await this.#snapshots.read(query, { ...options, freshness });
      try {
        const tables = await Promise.all(
          snapshot.epochs.map(async (used) => ({ epoch: used.epoch, ...(await this.#dictionaries.snapshot(used, used)) })),
        );
        return { snapshot, tables };
      } catch (error) {
        // Dropped since, and what was read with it: a newer snapshot has neither.
        if (!(error instanceof StackError && error.code === 'STACK_EPOCH_GONE') || attempt === MAX_READS) throw error;
        freshness = 'latest'; // a replica may show it for some time yet
      }
    }
  }
}

function overTables<Values extends { readonly joined: StackTable | undefined }>({
  functions,
  stacks,
  values: { joined, ...values },
}: StackTables & { readonly values: Values }) {
  return { ...values, functions, stacks: joined ?? stacks };
}

/** What names the stacks of an epoch. */
function stacksOf(epoch: Epoch): EpochStacks['of'] {
  const pinnedRevisionId = pinnedRevisionOf(epoch);
  return pinnedRevisionId === undefined ? epochRange(epoch) : { pinnedRevisionId };
}

/** The longest level of which each window lies within one step. */
function coarsestWithin(stepMs: DurationMs): LevelName {
  const isWithin = ({ windowMs }: Level) => stepMs % windowMs === 0;
  return isWithin(LEVELS.day) ? 'day' : isWithin(LEVELS.hour) ? 'hour' : 'minute';
}

function stepExpired(stepMs: DurationMs, windowMs: DurationMs): HearthError {
  return new HearthError(
    'STEP_EXPIRED',
    `a part of the range is only known in windows of ${windowMs} ms, which steps of ${stepMs} ms or an end of the range would cut: ask again`,
    {
      status: 410,
    },
  );
}
