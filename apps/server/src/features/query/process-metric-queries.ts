import { Injectable } from '@nestjs/common';
import type { ProcessMetricsAnswer, ProcessMetricsRequest } from '@hearth/query-contract';
import { HearthError } from '../../platform/http/index.js';
import { ProcessSeries, type SeriesStep, type StepPeriods } from '../process-metrics/index.js';
import { SelectionResolver } from '../selection/index.js';
import { resolveStepMs, stepStarts } from './timeline-steps.js';

/** Periods of processes that one answer reads: ten processes for a day, or a hundred for two hours. */
export const MAX_PERIODS = 100_000;
/** Of one answer; agents send about thirty. */
const MAX_NAMES = 200;

type Metric = ProcessMetricsAnswer['series'][number];
const UNITS = new Map<string, Metric['unit']>([
  ['bytes', 'bytes'],
  ['micros', 'microseconds'],
  ['ratio', 'ratio'],
  ['count', 'count'],
]);
/** What agents sum within a period; they leave it out where it is 0, as of a kind of collection that did not happen. */
const SUMMED = /^(?:cpu|gc|agent_cpu)_/;

/** What processes measured of themselves, over time. */
@Injectable()
export class ProcessMetricQueries {
  constructor(
    readonly selections: SelectionResolver,
    readonly processSeries: ProcessSeries,
  ) {}

  /** @throws {HearthError} `PROCESS_METRICS_HAVE_NO_LABELS`, `PROCESS_METRICS_TOO_MANY`, `STEP_TOO_SMALL`, `STEP_UNEVEN`; what `SelectionResolver.resolveScope` throws */
  async metrics(projectId: number, request: ProcessMetricsRequest, signal: AbortSignal): Promise<ProcessMetricsAnswer> {
    const scope = await this.selections.resolveScope(projectId, request);
    if (scope.query.labelSetIds !== undefined)
      throw new HearthError(
        'PROCESS_METRICS_HAVE_NO_LABELS',
        'processes are measured as a whole: ask without transaction and without labels of samples',
      );
    const stepMs = resolveStepMs(scope.range, request.stepMs);
    const { environmentIds, revisionIds, processIds, serviceId } = scope.query;
    const filter = { serviceId, ...scope.range, environmentIds, revisionIds, processIds };
    const count = await this.processSeries.countPeriods(filter);
    if (count > MAX_PERIODS)
      throw new HearthError(
        'PROCESS_METRICS_TOO_MANY',
        `${count} periods of processes are in this range, ${MAX_PERIODS} can be read: ask for a part of it, or for one process`,
      );
    signal.throwIfAborted();
    const startsMs = stepStarts(scope.range, stepMs);
    const { steps, periods } = await this.processSeries.steps(filter, stepMs);
    const { service, environment, revision, process, match, fromMs, untilMs } = scope.request;
    return {
      selection: {
        service,
        fromMs,
        untilMs,
        ...(environment && { environment }),
        ...(revision && { revision }),
        ...(process && { process }),
        ...(match && { match }),
      },
      stepMs,
      startsMs,
      processes: startsMs.map((startMs) => periods.get(startMs)?.processes ?? 0),
      series: metricsOf(steps, startsMs, periods),
    };
  }
}

function metricsOf(
  steps: readonly SeriesStep[],
  startsMs: readonly number[],
  periods: ReadonlyMap<number, StepPeriods>,
): Metric[] {
  const stepOf = new Map(startsMs.map((startMs, step) => [startMs, step]));
  const byName = new Map<string, { mean: (number | null)[]; max: (number | null)[] }>();
  for (const { name, startMs, sum, count, max, maxPerSecond } of steps) {
    const step = stepOf.get(startMs);
    if (step === undefined) continue;
    let columns = byName.get(name);
    if (columns === undefined) {
      if (byName.size >= MAX_NAMES) continue;
      byName.set(name, (columns = { mean: startsMs.map(() => null), max: startsMs.map(() => null) }));
    }
    columns.mean[step] = SUMMED.test(name) ? sum / (periods.get(startMs)!.durationMs / 1_000) : sum / count;
    columns.max[step] = SUMMED.test(name) ? maxPerSecond : max;
  }
  return [...byName]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, columns]) => ({
      name,
      unit: UNITS.get(name.slice(name.lastIndexOf('_') + 1)) ?? '',
      perSecond: SUMMED.test(name),
      ...columns,
    }));
}
