import { Injectable } from '@nestjs/common';
import { labelValue } from '@hearth/profile-model';
import type { DeployAnswer, Selection, TimelineAnswer } from '@hearth/query-contract';
import { Catalog, Deploys } from '../catalog/index.js';
import { Cover } from '../rollup/index.js';
import { SelectionResolver, observedMs, overlap, type ProfileScope } from '../selection/index.js';
import { largestSeries, resolveStepMs, stepStarts, type Series } from './timeline-steps.js';
import { wireNumber } from './wire-number.js';

export type TimelineRequest = Selection & { readonly stepMs?: number | undefined; readonly groupBy?: string | undefined };

interface Grouping {
  readonly groupOf: 'none' | 'revision' | 'process' | Map<number, number>;
  readonly keyOf: (group: number) => string;
}

/** The value of a selection over time, and the deploys that may explain it. */
@Injectable()
export class TimelineQueries {
  constructor(
    readonly selections: SelectionResolver,
    readonly catalog: Catalog,
    readonly deploys: Deploys,
    readonly cover: Cover,
  ) {}

  async timeline(projectId: number, request: TimelineRequest, signal: AbortSignal): Promise<TimelineAnswer> {
    const scope = await this.selections.resolve(projectId, request);
    const stepMs = resolveStepMs(scope.range, request.stepMs, scope.windowMs);
    const [series, deploys] = await Promise.all([
      this.#series(scope, stepMs, request.groupBy, signal),
      this.#deploysWithin(scope, projectId),
    ]);
    return {
      selection: scope.selection,
      unit: scope.type.sampleUnit,
      stepMs,
      startsMs: stepStarts(scope.range, stepMs),
      series: largestSeries(series).map(({ key, values }) => ({ key, values: values.map(wireNumber) })),
      deploys,
    };
  }

  async #series(scope: ProfileScope, stepMs: number, groupBy: string | undefined, signal: AbortSignal): Promise<Series[]> {
    const query = { ...scope.query, profileTypeId: scope.profileTypeId, signal };
    const { groupOf, keyOf } = await this.#grouping(scope, groupBy);
    const steps = await this.cover.steps(query, stepMs, groupOf);
    const starts = stepStarts(scope.range, stepMs);
    const stepOfStart = new Map(starts.map((startMs, step) => [startMs, step]));
    const factor = scope.kind === 'level' ? this.#levelFactors(scope, starts, stepMs) : undefined;

    const valuesOfKey = new Map<string, number[]>();
    steps.groups.forEach((group, row) => {
      const key = keyOf(group);
      let values = valuesOfKey.get(key);
      if (values === undefined) valuesOfKey.set(key, (values = starts.map(() => 0)));
      steps.startsMs.forEach((startMs, at) => {
        const step = stepOfStart.get(startMs);
        if (step !== undefined) values[step]! += steps.values[row]![at]!;
      });
    });
    if (valuesOfKey.size === 0)
      valuesOfKey.set(
        '',
        starts.map(() => 0),
      );
    return [...valuesOfKey].map(([key, values]) => ({
      key,
      values: factor ? values.map((value, step) => Math.round(value * factor[step]!)) : values,
    }));
  }

  /** What the cover is to tell apart, and the key of each of its groups. Several groups may have one key. */
  async #grouping(scope: ProfileScope, groupBy: string | undefined): Promise<Grouping> {
    if (groupBy === undefined || groupBy === '') return { groupOf: 'none', keyOf: () => '' };
    if (groupBy === 'revision') {
      const names = new Map((await this.catalog.revisions(scope.service.id)).map((revision) => [revision.id, revision.name]));
      return { groupOf: 'revision', keyOf: (revisionId) => names.get(revisionId) ?? '' };
    }
    const processes = new Map((await this.catalog.processes(scope.service.id)).map((process) => [process.id, process]));
    if (groupBy === 'process') return { groupOf: 'process', keyOf: (processId) => processes.get(processId)?.key ?? '' };
    const isOfSamples = [...scope.labelSets.values()].some((labels) => labelValue(labels, groupBy) !== undefined);
    if (!isOfSamples)
      return { groupOf: 'process', keyOf: (processId) => labelValue(processes.get(processId)?.labels ?? [], groupBy) ?? '' };
    const valueOf = new Map([...scope.labelSets].map(([id, labels]) => [id, labelValue(labels, groupBy) ?? '']));
    const values = [...new Set(valueOf.values())];
    const rowOf = new Map(values.map((value, row) => [value, row]));
    return { groupOf: new Map([...valueOf].map(([id, value]) => [id, rowOf.get(value)!])), keyOf: (row) => values[row] ?? '' };
  }

  /** Of the selected environment, the earliest first, as they lie on the axis. */
  async #deploysWithin({ service, range, request }: ProfileScope, projectId: number): Promise<DeployAnswer[]> {
    const deploys = await this.deploys.list(projectId, range, service.name);
    return deploys.filter((deploy) => request.environment === undefined || deploy.environment === request.environment).reverse();
  }

  /** What makes an average of value x milliseconds: the part of each step in which the selected processes lived. */
  #levelFactors(scope: ProfileScope, starts: readonly number[], stepMs: number): number[] {
    return starts.map((fromMs) => {
      const step = overlap({ fromMs, untilMs: fromMs + stepMs }, scope.range) ?? { fromMs, untilMs: fromMs + stepMs };
      return 1 / (observedMs(scope.processes, step) || step.untilMs - step.fromMs);
    });
  }
}
