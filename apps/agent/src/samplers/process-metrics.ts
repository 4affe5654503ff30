import {
  PerformanceObserver,
  constants,
  monitorEventLoopDelay,
  performance,
  type EventLoopUtilization,
  type IntervalHistogram,
} from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { ProcessSeriesValue } from '@hearth/wire-format';

/** How often the event loop is asked whether it is late. */
const DELAY_RESOLUTION_MS = 20;

const GC_KINDS = new Map<number, string>([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weak_callback'],
]);

/**
 * What the process as a whole used in a period: its CPU, memory, the lateness of its event loop, its garbage collections.
 * CPU, GC and utilisation are of the period; memory is at its end.
 */
export class ProcessMetrics {
  readonly #gcObserver: PerformanceObserver;
  #delay: IntervalHistogram | undefined;
  #cpu = process.cpuUsage();
  #utilisation: EventLoopUtilization = performance.eventLoopUtilization();
  #gc = new Map<string, { pauseMs: number; count: number }>();
  /** Bytes; the least seen after full collections of this period. */
  #heapAfterGc: number | undefined;

  constructor() {
    this.#gcObserver = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { duration, detail } = entry as typeof entry & { readonly detail?: { readonly kind?: number } };
        const kind = GC_KINDS.get(detail?.kind ?? 0) ?? 'other';
        const seen = this.#gc.get(kind) ?? { pauseMs: 0, count: 0 };
        // Looked at some milliseconds after it, when the observer is told: near enough to what survived.
        if (kind === 'major') this.#heapAfterGc = Math.min(this.#heapAfterGc ?? Infinity, getHeapStatistics().used_heap_size);
        this.#gc.set(kind, { pauseMs: seen.pauseMs + duration, count: seen.count + 1 });
      }
    });
  }

  start(): void {
    this.#delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
    this.#delay.enable();
    this.#gcObserver.observe({ entryTypes: ['gc'] });
    this.#cpu = process.cpuUsage();
    this.#utilisation = performance.eventLoopUtilization();
    this.#gc.clear();
    this.#heapAfterGc = undefined;
  }

  endPeriod(): ProcessSeriesValue[] {
    const series: ProcessSeriesValue[] = [];
    const add = (name: string, value: number): void => void series.push({ name, value });

    const { user, system } = process.cpuUsage(this.#cpu);
    this.#cpu = process.cpuUsage();
    add('cpu_user_micros', user);
    add('cpu_system_micros', system);

    const memory = process.memoryUsage();
    add('rss_bytes', memory.rss);
    add('heap_used_bytes', memory.heapUsed);
    add('heap_total_bytes', memory.heapTotal);
    add('heap_limit_bytes', getHeapStatistics().heap_size_limit);
    add('external_bytes', memory.external);
    add('array_buffers_bytes', memory.arrayBuffers);

    const utilisation = performance.eventLoopUtilization();
    add('event_loop_utilisation_ratio', performance.eventLoopUtilization(utilisation, this.#utilisation).utilization);
    this.#utilisation = utilisation;
    if (this.#delay !== undefined && this.#delay.count > 0) {
      add('event_loop_delay_p50_micros', lateMicros(this.#delay.percentile(50)));
      add('event_loop_delay_p99_micros', lateMicros(this.#delay.percentile(99)));
      add('event_loop_delay_max_micros', lateMicros(this.#delay.max));
      this.#delay.reset();
    }

    for (const [kind, { pauseMs, count }] of this.#gc) {
      add(`gc_${kind}_pause_micros`, Math.round(pauseMs * 1000));
      add(`gc_${kind}_count`, count);
    }
    this.#gc.clear();
    if (this.#heapAfterGc !== undefined) add('heap_after_gc_bytes', this.#heapAfterGc);
    this.#heapAfterGc = undefined;
    return series;
  }

  stop(): void {
    this.#gcObserver.disconnect();
    this.#delay?.disable();
    this.#delay = undefined;
  }
}

/** The histogram holds the whole time between two looks, in nanoseconds; what is above the resolution is lateness. */
function lateMicros(nanos: number): number {
  return Math.max(0, Math.round(nanos / 1000 - DELAY_RESOLUTION_MS * 1000));
}
