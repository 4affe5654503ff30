import type { ProcessMetricsAnswer, ResolvedSelection } from '@hearth/query-contract';
import { HOSTILE_NAMES, seeded } from './made-shop.js';

const STEP_MS = 30_000;
const STEPS = 120;
/** Steps in which no process was heard. */
const isGap = (step: number): boolean => step > 90 && step < 96;

type Unit = ProcessMetricsAnswer['series'][number]['unit'];

/** Each series and the value around which it moves. */
const SERIES: readonly (readonly [name: string, unit: Unit, about: number, perSecond?: boolean])[] = [
  ['agent_flush_micros', 'microseconds', 4_000],
  ['agent_governor_count', 'count', 0.5],
  ['agent_heap_ratio', 'ratio', 0.2],
  ['agent_labels_ratio', 'ratio', 0.8],
  ['agent_no_context_count', 'count', 40],
  ['agent_stack_count', 'count', 2_500],
  ['agent_stacks_ratio', 'ratio', 0.5],
  ['agent_wait_stacks_ratio', 'ratio', 0.25],
  ['agent_waits_ratio', 'ratio', 0.7],
  ['agent_watched_handlers_count', 'count', 12],
  ['agent_wrong_context_count', 'count', 110],
  ['cpu_system_micros', 'microseconds', 40_000, true],
  ['cpu_user_micros', 'microseconds', 420_000, true],
  ['event_loop_delay_p50_micros', 'microseconds', 300],
  ['event_loop_delay_p99_micros', 'microseconds', 9_000],
  ['event_loop_utilisation_ratio', 'ratio', 0.42],
  ['external_bytes', 'bytes', 8e6],
  ['gc_major_pause_micros', 'microseconds', 2_000, true],
  ['gc_minor_pause_micros', 'microseconds', 7_000, true],
  ['heap_after_gc_bytes', 'bytes', 48e6],
  ['heap_used_bytes', 'bytes', 71e6],
  ['rss_bytes', 'bytes', 180e6],
];

/** Metrics of four processes; of the process `silent` there are none. The service `hostile` names one of its series itself. */
export function madeProcessMetrics(selection: ResolvedSelection, process: string | null): ProcessMetricsAnswer {
  const { type: _type, maxNodes: _maxNodes, ...answered } = selection;
  const startsMs = Array.from({ length: STEPS }, (_, step) => selection.fromMs + step * STEP_MS);
  const isSilent = process === 'silent';
  return {
    selection: answered,
    stepMs: STEP_MS,
    startsMs,
    processes: startsMs.map(() => (isSilent ? 0 : 4)),
    series: isSilent
      ? []
      : SERIES.map(([name, unit, about, perSecond = false]) => {
          const random = seeded(name.length);
          const mean = startsMs.map((_, step) => (isGap(step) ? null : about * (0.8 + random() * 0.4)));
          const isHostile = selection.service === 'hostile' && name === 'agent_stack_count';
          const written = isHostile ? HOSTILE_NAMES[2]! : name;
          return { name: written, unit, perSecond, mean, max: mean.map((value) => value && value * 1.5) };
        }),
  };
}
