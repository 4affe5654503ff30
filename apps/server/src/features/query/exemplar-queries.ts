import { Injectable } from '@nestjs/common';
import { labelValue, TRANSACTION_LABEL } from '@hearth/profile-model';
import type { ExemplarAnswer, ExemplarFigures, ExemplarSummaryAnswer } from '@hearth/query-contract';
import { HearthError } from '../../platform/http/index.js';
import { Catalog } from '../catalog/index.js';
import type { Scope } from '../selection/index.js';
import { Exemplars, TransactionWindows, type ExemplarKey, type ReadExemplarHead } from '../transactions/index.js';

/** Listed with a transaction. */
const LISTED = 20;
/** Of each of them: enough to tell one from the other. */
const PREVIEWED_LABELS = 6;
const PREVIEWED_CHARACTERS = 80;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Names of what exemplars are of. */
interface Names {
  readonly environments: ReadonlyMap<number, string>;
  readonly revisions: ReadonlyMap<number, string>;
  readonly processes: ReadonlyMap<number, { readonly key: string; readonly host: string; readonly rateHz: number }>;
}

/** The slowest transactions, and one of them as it went. */
@Injectable()
export class ExemplarQueries {
  constructor(
    readonly exemplars: Exemplars,
    readonly transactionWindows: TransactionWindows,
    readonly catalog: Catalog,
  ) {}

  /** Of one transaction, the slowest first. */
  async list({ query, service }: Scope, name: string): Promise<ExemplarSummaryAnswer[]> {
    const found = await this.exemplars.list({ ...query, name }, LISTED);
    if (found.length === 0) return [];
    const names = await this.#names(service.id);
    return found.map((one) => ({
      ...figuresOf(one, names),
      context: one.context.slice(0, PREVIEWED_LABELS).map(([label, value]) => [cut(label), cut(value)]),
      contextCount: one.context.length,
    }));
  }

  /** @throws {HearthError} `EXEMPLAR_NOT_FOUND`, `EXEMPLAR_EXPIRED`, `EXEMPLAR_DAMAGED` */
  async one(projectId: number, id: string): Promise<ExemplarAnswer> {
    const key = keyOf(id);
    const service = key && (await this.catalog.services(projectId)).find((one) => one.id === key.serviceId);
    if (key === undefined || service === undefined) throw notFound('no exemplar of this project has this id');
    const found = await this.exemplars.find(key);
    if (found === undefined) return this.#whyGone(key);
    const [names, labelSets] = await Promise.all([this.#names(service.id), this.catalog.labelSets(service.id)]);
    const process = names.processes.get(found.processId);
    const labels = labelSets.get(found.labelSetId) ?? [];
    const { functions, stacks, spans, samples, waits } = found;
    return {
      ...figuresOf(found, names),
      service: service.name,
      transaction: labelValue(labels, TRANSACTION_LABEL) ?? '',
      kind: found.kind,
      host: process?.host ?? '',
      rateHz: process?.rateHz ?? null,
      labels: labels.filter(([name]) => name !== TRANSACTION_LABEL),
      context: found.context,
      traceId: found.traceId,
      spanId: found.spanId,
      functions: { name: functions.name, package: functions.package, file: functions.file },
      stacks: { parent: numbers(stacks.parent), function: numbers(stacks.functionRow) },
      spans: {
        name: spans.name,
        parent: numbers(spans.parent),
        startMicros: numbers(spans.startMicros),
        durationMicros: numbers(spans.durationMicros),
        outcome: spans.outcome,
        inputs: spans.inputs,
      },
      samples: {
        stack: numbers(samples.stack),
        startMicros: numbers(samples.startMicros),
        wallMicros: numbers(samples.wallMicros),
        cpuMicros: numbers(samples.cpuMicros),
        span: numbers(samples.span),
      },
      waits: {
        stack: numbers(waits.stack),
        startMicros: numbers(waits.startMicros),
        durationMicros: numbers(waits.durationMicros),
        span: numbers(waits.span),
      },
    };
  }

  /** Transactions are forgotten by the day, and with them their exemplars. */
  async #whyGone({ serviceId, windowStartMs }: ExemplarKey): Promise<never> {
    const sinceMs = await this.transactionWindows.countedSince({ serviceId, revisionIds: undefined }, 'latest');
    if (sinceMs !== undefined && windowStartMs < sinceMs) {
      const daysAgo = Math.round((Date.now() - windowStartMs) / DAY_MS);
      throw new HearthError(
        'EXEMPLAR_EXPIRED',
        `it was of ${daysAgo} days ago, and transactions are kept for fewer: GET /api/v1/retention says for how many`,
        { status: 410 },
      );
    }
    throw notFound('it is not kept any more: slower ones of its hour took its place, or it was deleted');
  }

  async #names(serviceId: number): Promise<Names> {
    const [environments, revisions, processes] = await Promise.all([
      this.catalog.environments(serviceId),
      this.catalog.revisions(serviceId),
      this.catalog.processes(serviceId),
    ]);
    return {
      environments: new Map(environments.map((row) => [row.id, row.name])),
      revisions: new Map(revisions.map((row) => [row.id, row.name])),
      processes: new Map(processes.map((row) => [row.id, row])),
    };
  }
}

function figuresOf(one: ReadExemplarHead, { environments, revisions, processes }: Names): ExemplarFigures {
  return {
    id: idOf(one),
    startMs: one.startMs,
    durationMicros: one.durationMicros,
    outcome: one.outcome,
    environment: environments.get(one.environmentId) ?? '',
    revision: revisions.get(one.revisionId) ?? '',
    process: processes.get(one.processId)?.key ?? '',
    cpuMicros: one.cpuMicros,
    awaitedMicros: one.awaitedMicros,
    sampleCount: one.sampleCount,
    keptSampleCount: one.keptSampleCount,
    waitCount: one.waitCount,
    spanCount: one.spanCount,
  };
}

/** Tells where it is: in which service and minute. */
function idOf({ serviceId, windowStartMs, id }: ExemplarKey): string {
  return `${serviceId}-${windowStartMs / MINUTE_MS}-${id}`;
}

/** `undefined`: no text that `idOf` makes. */
function keyOf(text: string): ExemplarKey | undefined {
  const [, serviceId, minute, id] = /^(\d{1,15})-(\d{1,10})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(text) ?? [];
  return id === undefined ? undefined : { serviceId: Number(serviceId), windowStartMs: Number(minute) * MINUTE_MS, id };
}

function notFound(detail: string): HearthError {
  return new HearthError('EXEMPLAR_NOT_FOUND', detail, { status: 404 });
}

function cut(text: string): string {
  return text.length <= PREVIEWED_CHARACTERS ? text : `${text.slice(0, PREVIEWED_CHARACTERS)}…`;
}

function numbers(column: ArrayLike<number>): readonly number[] {
  return Array.from(column);
}
