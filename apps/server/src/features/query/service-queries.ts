import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import { DurationSketch, PROFILE_TYPE_IDS } from '@hearth/profile-model';
import type { LabelsAnswer, LabelValuesAnswer, ProcessAnswer, RevisionAnswer, ServiceAnswer } from '@hearth/query-contract';
import { Catalog, PinnedRevisions, type ServiceRow } from '../catalog/index.js';
import { ProcessSeries } from '../process-metrics/index.js';
import { Cover } from '../rollup/index.js';
import { SelectionResolver, livedWithin, observedMs, type Scope } from '../selection/index.js';
import { TransactionWindows } from '../transactions/index.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** The range of a service's figures in the list. */
const FIGURES_MINUTES = 15;
const SPARKLINE_MINUTES = 30;
/** The agent's series of resident memory. */
const RSS_SERIES = 'rss_bytes';

/** What there is: services with their figures of the last minutes, their revisions, processes and labels. */
@Injectable()
export class ServiceQueries {
  constructor(
    readonly selections: SelectionResolver,
    readonly catalog: Catalog,
    readonly cover: Cover,
    readonly transactionWindows: TransactionWindows,
    readonly processSeries: ProcessSeries,
    readonly pins: PinnedRevisions,
  ) {}

  async list(projectId: number, signal: AbortSignal, nowMs: EpochMs = Date.now()): Promise<ServiceAnswer[]> {
    const answers: ServiceAnswer[] = [];
    // One after the other: the list may be long, and each service takes several connections at once.
    for (const service of await this.catalog.services(projectId)) {
      signal.throwIfAborted();
      answers.push(await this.#service(service, nowMs, signal));
    }
    return answers;
  }

  async revisions(projectId: number, serviceName: string): Promise<RevisionAnswer[]> {
    const service = await this.selections.findService(projectId, serviceName);
    const [revisions, processes, pins] = await Promise.all([
      this.catalog.revisions(service.id),
      this.catalog.processes(service.id),
      this.pins.of([service.id]),
    ]);
    const pinnedMs = new Map(pins.map((pin) => [pin.revisionId, pin.pinnedMs]));
    return revisions
      .map((revision) => ({
        revision: revision.name,
        version: revision.version,
        firstSeenMs: revision.firstSeenMs,
        lastSeenMs: revision.lastSeenMs,
        processes: processes.filter((process) => process.revisionId === revision.id).length,
        pinnedMs: pinnedMs.get(revision.id) ?? null,
      }))
      .sort((a, b) => b.firstSeenMs - a.firstSeenMs);
  }

  async processes(projectId: number, serviceName: string): Promise<ProcessAnswer[]> {
    const service = await this.selections.findService(projectId, serviceName);
    const [environments, revisions, processes] = await Promise.all([
      this.catalog.environments(service.id),
      this.catalog.revisions(service.id),
      this.catalog.processes(service.id),
    ]);
    const environmentNames = new Map(environments.map((row) => [row.id, row.name]));
    const revisionNames = new Map(revisions.map((row) => [row.id, row.name]));
    return [...processes]
      .sort((a, b) => b.lastSeenMs - a.lastSeenMs || b.startedAtMs - a.startedAtMs)
      .map((process) => ({
        id: process.key,
        startedAtMs: process.startedAtMs,
        lastSeenMs: process.lastSeenMs,
        environment: environmentNames.get(process.environmentId) ?? '',
        revision: revisionNames.get(process.revisionId) ?? '',
        host: process.host,
        pid: process.pid,
        nodeVersion: process.nodeVersion,
        agentVersion: process.agentVersion,
        rateHz: process.rateHz,
        droppedBatches: process.droppedBatches,
      }));
  }

  async labels(
    projectId: number,
    serviceName: string,
    range: { from: string; until: string },
    signal: AbortSignal,
  ): Promise<LabelsAnswer> {
    const values = await this.#labelValues(projectId, serviceName, range, signal);
    return {
      labels: [...values].map(([name, ofName]) => ({ name, values: ofName.size })).sort((a, b) => (a.name < b.name ? -1 : 1)),
    };
  }

  async labelValues(
    projectId: number,
    serviceName: string,
    name: string,
    range: { from: string; until: string },
    signal: AbortSignal,
  ): Promise<LabelValuesAnswer> {
    const values = await this.#labelValues(projectId, serviceName, range, signal);
    return { name, values: [...(values.get(name) ?? [])].sort() };
  }

  /** Values of each label that a sample or transaction of the range or a process alive in it carries. */
  async #labelValues(
    projectId: number,
    serviceName: string,
    { from, until }: { from: string; until: string },
    signal: AbortSignal,
  ): Promise<Map<string, Set<string>>> {
    const scope = await this.selections.resolveScope(projectId, { service: serviceName, from, until }, { grain: 'minutes' });
    const [transactions, sampled] = await Promise.all([
      this.transactionWindows.read(scope.query),
      this.#sampledLabelSets(scope, signal),
    ]);
    const used = new Set([...transactions.map((row) => row.labelSetId), ...sampled]);
    const values = new Map<string, Set<string>>();
    const labelSets = [...used].map((id) => scope.labelSets.get(id) ?? []);
    for (const [name, value] of [...labelSets, ...scope.processes.map((process) => process.labels)].flat()) {
      values.set(name, (values.get(name) ?? new Set()).add(value));
    }
    return values;
  }

  /** Label sets of samples; those of the heap carry none. */
  async #sampledLabelSets({ service, query, labelSets }: Scope, signal: AbortSignal): Promise<number[]> {
    const types = (await this.catalog.profileTypes(service.id)).filter((type) => !type.typeId.startsWith('memory:'));
    const groupOfLabelSet = new Map(Array.from(labelSets.keys(), (id) => [id, id]));
    const found: (readonly number[])[] = [];
    // One after the other: a service may have fifty types, and each takes a connection.
    for (const type of types) {
      const { groups } = await this.cover.steps({ ...query, profileTypeId: type.id, signal }, DAY_MS, groupOfLabelSet);
      found.push(groups);
    }
    return found.flat();
  }

  async #service(service: ServiceRow, nowMs: EpochMs, signal: AbortSignal): Promise<ServiceAnswer> {
    // Whole minutes, for counts beside CPU. The current one is still filling and would pull every rate down.
    const untilMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
    const range = { fromMs: untilMs - FIGURES_MINUTES * MINUTE_MS, untilMs };
    const query = { serviceId: service.id, ...range };
    const [environments, revisions, processes, profileTypes, transactions, memory] = await Promise.all([
      this.catalog.environments(service.id),
      this.catalog.revisions(service.id),
      this.catalog.processes(service.id),
      this.catalog.profileTypes(service.id),
      this.transactionWindows.read(query),
      this.processSeries.summaries({ serviceId: service.id, fromMs: nowMs - MINUTE_MS, untilMs: nowMs, names: [RSS_SERIES] }),
    ]);
    const cpuType = profileTypes.find((type) => type.typeId === PROFILE_TYPE_IDS.cpu);
    const cpuMicrosByMinute = cpuType && (await this.#cpuMicrosByMinute(service, cpuType.id, untilMs, signal));
    const livedMs = observedMs(processes, range);
    const recent = cpuMicrosByMinute?.slice(-FIGURES_MINUTES).reduce((sum, micros) => sum + micros, 0);
    const sketch = new DurationSketch();
    let count = 0;
    for (const row of transactions) {
      sketch.merge(row.sketch);
      count += row.count;
    }
    const latestRevision = [...revisions].sort((a, b) => b.firstSeenMs - a.firstSeenMs)[0];
    return {
      name: service.name,
      environments: environments.map((row) => row.name).sort(),
      profileTypes: profileTypes.map((type) => shortNameOf(type.typeId)),
      firstSeenMs: service.firstSeenMs,
      lastSeenMs: service.lastSeenMs,
      latestRevision: latestRevision?.name ?? null,
      processesNow: processes.filter((process) => livedWithin(process, { fromMs: nowMs - MINUTE_MS, untilMs: nowMs })).length,
      cpuCores: recent === undefined || livedMs === 0 ? null : recent / (livedMs * 1000),
      rssBytes: memory.length === 0 ? null : memory.reduce((sum, process) => sum + process.latest, 0),
      transactionsPerMinute: livedMs === 0 ? null : (count * MINUTE_MS) / livedMs,
      durationP95Micros: count === 0 ? null : Math.round(sketch.quantile(0.95)),
      cpuCoresByMinute: Array.from(
        { length: SPARKLINE_MINUTES },
        (_, minute) => (cpuMicrosByMinute?.[minute] ?? 0) / (MINUTE_MS * 1000),
      ),
    };
  }

  async #cpuMicrosByMinute(service: ServiceRow, profileTypeId: number, untilMs: EpochMs, signal: AbortSignal): Promise<number[]> {
    const fromMs = untilMs - SPARKLINE_MINUTES * MINUTE_MS;
    const steps = await this.cover.steps({ serviceId: service.id, profileTypeId, fromMs, untilMs, signal }, MINUTE_MS, 'none');
    const micros = Array.from({ length: SPARKLINE_MINUTES }, () => 0);
    steps.startsMs.forEach((startMs, step) => {
      const minute = (startMs - fromMs) / MINUTE_MS;
      if (minute >= 0 && minute < SPARKLINE_MINUTES) micros[minute]! += steps.values[0]?.[step] ?? 0;
    });
    return micros;
  }
}

function shortNameOf(typeId: string): string {
  return Object.entries(PROFILE_TYPE_IDS).find(([, id]) => id === typeId)?.[0] ?? typeId;
}
