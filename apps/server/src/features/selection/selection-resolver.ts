import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs, LabelSet, ProfileType, ProfileTypeKind, TimeRange } from '@hearth/profile-model';
import { TRANSACTION_LABEL, parseProfileTypeId, profileTypeKind, resolveProfileTypeId } from '@hearth/profile-model';
import type { ResolvedSelection, Selection } from '@hearth/query-contract';
import type { Freshness } from '../../platform/database/index.js';
import { HearthError } from '../../platform/http/index.js';
import { Catalog, PinnedRevisions, type ProcessRow, type RevisionRow, type ServiceRow } from '../catalog/index.js';
import { Cover, type CoverQuery } from '../rollup/index.js';
import { filterByLabels, parseLabelQuestion } from './label-filter.js';
import { boundedRange, isTooLong, overlap, parseRange, wholeMinutes } from './time-range.js';

/** What a question is about, apart from its profile type. */
export type ScopeRequest = Omit<Selection, 'type' | 'maxNodes'>;
export type ResolvedScopeRequest = Omit<ResolvedSelection, 'type' | 'maxNodes'>;

/** A question in numbers: the rows of the catalog that it selects. */
export interface Scope {
  /** As it was really used. */
  readonly request: ResolvedScopeRequest;
  readonly service: ServiceRow;
  /** Wider than asked where what would cut it has expired. */
  readonly range: TimeRange;
  /** Length of the windows that values are still known for within it: a minute (and its flushes), an hour or a day. */
  readonly windowMs: DurationMs;
  /** The part of the range in which at least one selected process lived, in milliseconds; 0 if none. Levels and rates are averages over it. */
  readonly observedMs: number;
  /** Of the selected environment, revision, process and labels, alive within the range. */
  readonly processes: readonly ProcessRow[];
  /** All of the service, by id. */
  readonly labelSets: ReadonlyMap<number, LabelSet>;
  /** The cover's question without a profile type. */
  readonly query: Omit<CoverQuery, 'profileTypeId' | 'signal'>;
}

/** A scope and a profile type that the service has sent. */
export interface ProfileScope extends Scope {
  readonly selection: ResolvedSelection;
  readonly type: ProfileType;
  readonly kind: ProfileTypeKind;
  readonly profileTypeId: number;
}

export interface ResolveOptions {
  /** Default: now. */
  readonly nowMs?: EpochMs;
  /** Grow the range to whole minutes, for figures that stand beside transactions: those are counted per minute. */
  readonly grain?: 'exact' | 'minutes';
  /** Instead of what the request says: it was resolved before, and may have grown longer than a question may ask for. */
  readonly range?: TimeRange;
  /** Of what has expired. Default `recent`; it has to be that of the reading which follows. */
  readonly freshness?: Freshness;
}

/** Finds what a selection names. The one place where names become ids, so that every answer means the same by the same words. */
@Injectable()
export class SelectionResolver {
  readonly #catalog: Catalog;
  readonly #cover: Cover;
  readonly #pins: PinnedRevisions;

  constructor(catalog: Catalog, cover: Cover, pins: PinnedRevisions) {
    this.#catalog = catalog;
    this.#cover = cover;
    this.#pins = pins;
  }

  /**
   * @throws {HearthError} `SERVICE_NOT_FOUND`, `ENVIRONMENT_NOT_FOUND`, `REVISION_NOT_FOUND`, `PROCESS_NOT_FOUND`,
   * `TIME_INVALID`, `RANGE_EMPTY`, `RANGE_TOO_LONG`; {ProfileError} `LABEL_MATCHER`
   */
  async resolveScope(
    projectId: number,
    request: ScopeRequest,
    { nowMs = Date.now(), grain = 'exact', range: rangeBefore, freshness }: ResolveOptions = {},
  ): Promise<Scope> {
    const wanted = rangeBefore ?? parseRange(request.from, request.until, nowMs);
    const question = parseLabelQuestion(request.match, given(request.transaction));
    const service = await this.findService(projectId, request.service);

    const [labelSets, environments, revisions, allProcesses, profileTypes] = await Promise.all([
      this.#catalog.labelSets(service.id),
      this.#catalog.environments(service.id),
      this.#catalog.revisions(service.id),
      this.#catalog.processes(service.id),
      this.#catalog.profileTypes(service.id),
    ]);
    const environment = namedIfAny('ENVIRONMENT_NOT_FOUND', request.environment, environments, (row) => row.name);
    const revision = namedIfAny('REVISION_NOT_FOUND', request.revision, revisions, (row) => row.name);
    const process = namedIfAny('PROCESS_NOT_FOUND', request.process, allProcesses, (row) => row.key);
    const asked = rangeBefore ?? (await this.#bounded(wanted, service.id, revision));
    const { range, windowMs } = await this.#cover.resolution(
      {
        serviceId: service.id,
        profileTypeIds: profileTypes.map(({ id }) => id),
        ...(grain === 'minutes' ? wholeMinutes(asked) : asked),
        ...(environment && { environmentIds: [environment.id] }),
        ...(revision && { revisionIds: [revision.id] }),
      },
      freshness,
    );
    const labels = filterByLabels(question, labelSets, allProcesses);

    const processIds = process ? (labels.processIds ?? [process.id]).filter((id) => id === process.id) : labels.processIds;
    const selected = processIds && new Set(processIds);
    const processes = allProcesses.filter(
      (row) =>
        (environment === undefined || row.environmentId === environment.id) &&
        (revision === undefined || row.revisionId === revision.id) &&
        (selected === undefined || selected.has(row.id)) &&
        livedWithin(row, range),
    );
    return {
      request: {
        service: service.name,
        ...(environment && { environment: environment.name }),
        ...(revision && { revision: revision.name }),
        ...(process && { process: process.key }),
        ...(question.transaction !== undefined && { transaction: question.transaction }),
        ...(question.matchers.length > 0 && { match: request.match }),
        ...range,
      },
      service,
      range,
      windowMs,
      observedMs: observedMs(processes, range),
      processes,
      labelSets,
      query: {
        serviceId: service.id,
        ...range,
        ...(environment && { environmentIds: [environment.id] }),
        ...(revision && { revisionIds: [revision.id] }),
        ...(processIds && { processIds }),
        ...(labels.labelSetIds && { labelSetIds: labels.labelSetIds }),
      },
    };
  }

  /** A scope, and the profile type in it. @throws {HearthError} as above, `PROFILE_TYPE_NOT_FOUND`, `HEAP_HAS_NO_LABELS`; {ProfileError} `PROFILE_TYPE_ID` */
  async resolve(projectId: number, selection: Selection, options: ResolveOptions = {}): Promise<ProfileScope> {
    const type = parseProfileTypeId(resolveProfileTypeId(selection.type));
    const scope = await this.resolveScope(projectId, selection, options);
    const profileTypeId = await this.findProfileType(scope, selection.type);
    if (profileTypeId === undefined) {
      const known = await this.#catalog.profileTypes(scope.service.id);
      throw new HearthError(
        'PROFILE_TYPE_NOT_FOUND',
        `service ${scope.service.name} has sent no ${selection.type} profile yet; it has sent ${known.map((one) => one.typeId).join(', ') || 'none at all'}`,
        { status: 404 },
      );
    }
    if (type.name === 'memory' && scope.query.labelSetIds !== undefined) {
      throw new HearthError(
        'HEAP_HAS_NO_LABELS',
        `the heap is shared by all transactions, so ${selection.type} cannot be filtered by ${TRANSACTION_LABEL} or a label of samples: ask for the process as a whole, or for its cpu, wall or wait`,
      );
    }
    return {
      ...scope,
      selection: { ...scope.request, type: resolveProfileTypeId(selection.type), maxNodes: selection.maxNodes },
      type,
      kind: profileTypeKind(type),
      profileTypeId,
    };
  }

  /** What was resolved before, as it is now. */
  async resolveAgain(projectId: number, resolved: ResolvedSelection, options: ResolveOptions = {}): Promise<ProfileScope> {
    const { fromMs, untilMs } = resolved;
    return this.resolve(projectId, selectionFromResolved(resolved), { ...options, range: { fromMs, untilMs } });
  }

  /** The number of a profile type that the service has sent; `undefined` if it has not. @throws {ProfileError} `PROFILE_TYPE_ID` */
  async findProfileType(scope: Pick<Scope, 'service'>, nameOrId: string): Promise<number | undefined> {
    const typeId = resolveProfileTypeId(nameOrId);
    return (await this.#catalog.profileTypes(scope.service.id)).find((one) => one.typeId === typeId)?.id;
  }

  /** A range as it may be asked about: of a pinned revision it may be as long as that lived. @throws {HearthError} `RANGE_TOO_LONG` */
  async #bounded(range: TimeRange, serviceId: number, revision: RevisionRow | undefined): Promise<TimeRange> {
    if (!isTooLong(range)) return range;
    const pin = (await this.#pins.of([serviceId])).find(({ revisionId }) => revisionId === revision?.id);
    return boundedRange(range, pin && (await this.#cover.lifeOf(serviceId, pin.revisionId)));
  }

  /** @throws {HearthError} `REVISION_NOT_FOUND` */
  async findRevision(serviceId: number, name: string): Promise<RevisionRow> {
    return named('REVISION_NOT_FOUND', name, await this.#catalog.revisions(serviceId), (row) => row.name);
  }

  /** @throws {HearthError} `SERVICE_NOT_FOUND` */
  async findService(projectId: number, name: string): Promise<ServiceRow> {
    return this.#catalog.serviceNamed(projectId, name);
  }
}

/** A selection that was resolved before, to be resolved again: its times are instants already. */
export function selectionFromResolved({ fromMs, untilMs, ...rest }: ResolvedSelection): Selection {
  return { ...rest, from: String(fromMs), until: String(untilMs) };
}

/** Whether a process was heard of within `range`: from its start to the end of its last batch. */
export function livedWithin(process: Pick<ProcessRow, 'startedAtMs' | 'lastSeenMs'>, range: TimeRange): boolean {
  return process.startedAtMs < range.untilMs && process.lastSeenMs >= range.fromMs;
}

/** Milliseconds of `range` in which at least one of the processes lived; 0 if none. */
export function observedMs(processes: readonly Pick<ProcessRow, 'startedAtMs' | 'lastSeenMs'>[], range: TimeRange): number {
  const lives = processes
    .flatMap((process) => overlap({ fromMs: process.startedAtMs, untilMs: process.lastSeenMs }, range) ?? [])
    .sort((a, b) => a.fromMs - b.fromMs);
  let observed = 0;
  let countedUntilMs = range.fromMs;
  for (const life of lives) {
    observed += Math.max(0, life.untilMs - Math.max(life.fromMs, countedUntilMs));
    countedUntilMs = Math.max(countedUntilMs, life.untilMs);
  }
  return observed;
}

/** A form field that was left empty asks nothing. */
function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

type NotFoundCode = 'ENVIRONMENT_NOT_FOUND' | 'REVISION_NOT_FOUND' | 'PROCESS_NOT_FOUND';

function namedIfAny<Row>(
  code: NotFoundCode,
  name: string | undefined,
  rows: readonly Row[],
  nameOf: (row: Row) => string,
): Row | undefined {
  const asked = given(name);
  return asked === undefined ? undefined : named(code, asked, rows, nameOf);
}

function named<Row>(code: NotFoundCode, name: string, rows: readonly Row[], nameOf: (row: Row) => string): Row {
  const found = rows.find((row) => nameOf(row) === name);
  if (found === undefined) {
    throw new HearthError(code, `the service has no ${code.slice(0, code.indexOf('_')).toLowerCase()} ${quoted(name)}`, {
      status: 404,
    });
  }
  return found;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
