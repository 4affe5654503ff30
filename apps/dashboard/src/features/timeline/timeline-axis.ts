import type { TimelineAnswer } from '@hearth/query-contract';
import { scaleFor } from '../../format/quantity.js';

/** Series drawn apart; the rest is summed into one. */
const MOST_SERIES = 6;

export interface TimelineSeries {
  readonly key: string;
  /** `null`: nobody knows. */
  readonly values: readonly (number | null)[];
}

/** What the value axis says, and the answer in it. */
export interface TimelineAxis {
  /** `CPU, cores` */
  readonly title: string;
  readonly series: readonly TimelineSeries[];
  /** Of things that are counted: there are no halves of them on the axis. */
  readonly isCount?: true;
}

/**
 * Values per step as rates a person knows: microseconds per step are cores (or threads waiting), bytes are sizes, and
 * what is counted is counted per second. Levels are what they are.
 */
export function timelineAxis({ unit, stepMs, series, selection }: TimelineAnswer, kind: 'flow' | 'level'): TimelineAxis {
  const largest = largestSeries(series);
  const map = (title: string, convert: (value: number) => number): TimelineAxis => ({
    title,
    series: largest.map(({ key, values }) => ({ key, values: values.map(convert) })),
  });
  const sampleType = selection.type.split(':')[1] ?? selection.type;
  if (unit === 'microseconds') return map(titleOfTime(sampleType), (value) => value / (stepMs * 1000));
  if (unit === 'nanoseconds') return map(titleOfTime(sampleType), (value) => value / (stepMs * 1e6));
  const perSecond = kind === 'flow' ? stepMs / 1000 : 1;
  const highest = Math.max(0, ...largest.flatMap(({ values }) => values)) / perSecond;
  const scale = scaleFor(unit, highest);
  const what = unit === 'bytes' ? 'Memory' : sampleType.replaceAll('_', ' ');
  return map(`${what}, ${scale.unit || unit}${kind === 'flow' ? '/s' : ''}`, (value) => value / perSecond / scale.divisor);
}

/** Time per time: so many at once. */
function titleOfTime(sampleType: string): string {
  if (sampleType === 'cpu') return 'CPU, cores';
  return sampleType === 'wait' ? 'Waits at once' : 'Threads at once';
}

type Summed = TimelineAnswer['series'][number];

function largestSeries(series: readonly Summed[]): Summed[] {
  const sum = ({ values }: Summed) => values.reduce((all, value) => all + value, 0);
  const sorted = [...series].sort((a, b) => sum(b) - sum(a));
  if (sorted.length <= MOST_SERIES) return sorted;
  const rest = sorted.slice(MOST_SERIES - 1);
  const others = rest[0]!.values.map((_, step) => rest.reduce((all, { values }) => all + (values[step] ?? 0), 0));
  return [...sorted.slice(0, MOST_SERIES - 1), { key: `${rest.length} others`, values: others }];
}
