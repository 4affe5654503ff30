import type { ProcessMetricsAnswer } from '@hearth/query-contract';
import { scaleFor } from '../../format/quantity.js';
import { visibleText } from '../../format/visible-text.js';
import type { TimelineAxis } from './timeline-axis.js';

type Column = 'mean' | 'max';
interface Chart {
  readonly title: string;
  /** Of one unit. */
  readonly lines: readonly { readonly key: string; readonly name: string; readonly column: Column }[];
}

const line = (key: string, name: string, column: Column = 'mean') => ({ key, name, column });
const CHARTS: readonly Chart[] = [
  { title: 'CPU of a process', lines: [line('user', 'cpu_user_micros'), line('system', 'cpu_system_micros')] },
  {
    title: 'Memory of a process',
    lines: [line('resident', 'rss_bytes'), line('heap used', 'heap_used_bytes'), line('external', 'external_bytes')],
  },
  {
    title: 'Event loop late by',
    lines: [line('median', 'event_loop_delay_p50_micros'), line('p99', 'event_loop_delay_p99_micros')],
  },
  {
    title: 'Event loop in use',
    lines: [line('mean', 'event_loop_utilisation_ratio'), line('highest', 'event_loop_utilisation_ratio', 'max')],
  },
  {
    title: 'Garbage collection',
    lines: [
      line('major', 'gc_major_pause_micros'),
      line('minor', 'gc_minor_pause_micros'),
      line('incremental', 'gc_incremental_pause_micros'),
    ],
  },
  {
    title: 'Heap after a full collection',
    lines: [line('mean', 'heap_after_gc_bytes'), line('highest', 'heap_after_gc_bytes', 'max')],
  },
  {
    title: 'A flush of the agent takes',
    lines: [line('mean', 'agent_flush_micros'), line('highest', 'agent_flush_micros', 'max')],
  },
  { title: 'CPU of the agent', lines: [line('mean', 'agent_cpu_micros'), line('highest', 'agent_cpu_micros', 'max')] },
  {
    title: 'Steps by which the agent does less than asked',
    lines: [line('mean', 'agent_governor_count'), line('highest', 'agent_governor_count', 'max')],
  },
  {
    title: 'What the agent does of what was asked',
    lines: [
      line('stacks', 'agent_stacks_ratio'),
      line('callers of waits', 'agent_wait_stacks_ratio'),
      line('waits', 'agent_waits_ratio'),
      line('heap', 'agent_heap_ratio'),
      line('labels', 'agent_labels_ratio'),
    ],
  },
  {
    title: 'Samples of a period under lost context',
    lines: [line('of another transaction', 'agent_wrong_context_count'), line('of none', 'agent_no_context_count')],
  },
  { title: 'Handlers watched for lost context', lines: [line('mean', 'agent_watched_handlers_count')] },
  {
    title: 'Samples a second',
    lines: [line('mean', 'agent_sampling_rate_hz'), line('highest', 'agent_sampling_rate_hz', 'max')],
  },
  {
    title: 'Time with a raised sampling rate, by what raised it',
    lines: [
      line('slow transaction', 'agent_raised_by_slow_ratio'),
      line('CPU', 'agent_raised_by_cpu_ratio'),
      line('heap', 'agent_raised_by_heap_ratio'),
      line('signal', 'agent_raised_by_signal_ratio'),
      line('server', 'agent_raised_by_command_ratio'),
    ],
  },
];

/** The charts of what processes measured: those above, then every other name by itself. Nothing that nobody measured. */
export function metricAxes(answer: ProcessMetricsAnswer): TimelineAxis[] {
  const ofName = new Map(answer.series.map((series) => [series.name, series]));
  const shown = new Set(CHARTS.flatMap(({ lines }) => lines.map(({ name }) => name)));
  const others = answer.series
    .filter(({ name }) => !shown.has(name))
    .map(({ name }): Chart => ({ title: visibleText(name), lines: [line('mean', name), line('highest', name, 'max')] }));
  const charts = [...CHARTS, ...others].flatMap(({ title, lines }) => {
    const found = lines.flatMap(({ key, name, column }) => {
      const series = ofName.get(name);
      return series === undefined ? [] : [{ key, values: series[column], unit: series.unit, perSecond: series.perSecond }];
    });
    return found.length === 0 ? [] : [inUnits(title, found)];
  });
  return answer.processes.some((count) => count > 0)
    ? [{ title: 'Processes', series: [{ key: '', values: answer.processes }], isCount: true }, ...charts]
    : charts;
}

interface Found {
  readonly key: string;
  readonly values: readonly (number | null)[];
  readonly unit: string;
  readonly perSecond: boolean;
}

function inUnits(title: string, found: readonly Found[]): TimelineAxis {
  const { unit, perSecond } = found[0]!;
  const highest = found.reduce((most, { values }) => values.reduce<number>((all, value) => Math.max(all, value ?? 0), most), 0);
  // A second of CPU in a second is a core.
  const isCores = perSecond && title.startsWith('CPU');
  const scale = isCores
    ? { unit: 'cores', divisor: 1e6 }
    : unit === 'ratio'
      ? { unit: '%', divisor: 0.01 }
      : scaleFor(unit, highest);
  const written = `${scale.unit}${perSecond && !isCores ? '/s' : ''}`;
  return {
    title: written === '' ? title : `${title}, ${written}`,
    series: found.map(({ key, values }) => ({
      key,
      values: values.map((value) => (value === null ? null : value / scale.divisor)),
    })),
    ...(unit === 'count' && scale.divisor === 1 ? { isCount: true } : {}),
  };
}
