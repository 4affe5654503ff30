import type { DurationMs } from '@hearth/profile-model';
import type { ProcessSeriesValue } from '@hearth/wire-format';
import type { AgentLog } from '../safety/agent-log.js';
import { threadCpuNanos } from '../samplers/thread-cpu.js';
import { Governor, type Budget } from './governor.js';
import type { Levers } from './levers.js';
import { COST_PARTS, OwnCost, noCosts, totalOf, type Costs } from './own-cost.js';

/** A flush that has begun. */
export interface FlushTiming {
  readonly beganAt: number;
  readonly cpuNanos: number;
  /** What its pieces took. */
  readonly pieces: OwnCost;
}

/** Adds up what the agent costs its host, says it, and has the governor's decisions carried out. */
export class CostKeeper {
  /** What is spent between flushes. */
  readonly between = new OwnCost();
  readonly #governor: Governor;
  readonly #apply: (levers: Levers) => void;
  readonly #log: AgentLog;
  #lastCpuMs: DurationMs = 0;

  constructor(budget: Budget, log: AgentLog, apply: (levers: Levers) => void) {
    this.#governor = new Governor(budget);
    this.#log = log;
    this.#apply = apply;
  }

  beginFlush(): FlushTiming {
    return { beganAt: performance.now(), cpuNanos: threadCpuNanos(), pieces: new OwnCost() };
  }

  /** @param durationMs - Of the period that it ended. */
  endFlush(flush: FlushTiming, durationMs: DurationMs): void {
    const pause = pauseOf(flush);
    const spent = this.between.take();
    for (const part of COST_PARTS) spent[part] += pause[part];
    this.#lastCpuMs = totalOf(spent);
    const change = this.#governor.judge({ durationMs, spent, pause });
    if (change === undefined) return;
    this.#apply(change.levers);
    const pct = ((totalOf(spent) / durationMs) * 100).toFixed(1);
    this.#log.info(
      'AGENT_GOVERNOR',
      `${change.words}; the agent took ${pct} % of a core and ${totalOf(pause).toFixed(0)} ms in its last flush`,
    );
  }

  /** What the agent took in the period before, and what it does less of: parts of what was asked for, from its first measure on. @param threadsMicros - The same of worker threads */
  series(threadsMicros: number): ProcessSeriesValue[] {
    const series = [
      { name: 'agent_cpu_micros', value: Math.round(this.#lastCpuMs * 1000 + threadsMicros) },
      { name: 'agent_governor_count', value: this.#governor.steps },
    ];
    if (!this.#governor.hasActed) return series;
    const { sampled, captures, waits, heap, labels } = this.#governor.levers;
    series.push(
      { name: 'agent_stacks_ratio', value: sampled },
      { name: 'agent_wait_stacks_ratio', value: waits === 'on' ? captures : 0 },
      { name: 'agent_waits_ratio', value: waits === 'on' ? 1 : 0 },
      { name: 'agent_heap_ratio', value: heap === 'on' ? 1 : 0 },
      { name: 'agent_labels_ratio', value: labels === 'kept' ? 1 : 0 },
    );
    return series;
  }
}

/** The CPU of the thread, where that is less than the time that went by: a machine that is busy with others is none of our cost. What no piece is known of is the stacks'. */
function pauseOf({ beganAt, cpuNanos, pieces }: FlushTiming): Costs {
  const pause = noCosts();
  const known = pieces.take();
  const wallMs = performance.now() - beganAt;
  const cpuMs = Math.min(wallMs, Math.max(0, threadCpuNanos() - cpuNanos) / 1e6);
  const scale = wallMs > 0 ? cpuMs / wallMs : 0; // pieces are timed by the clock
  for (const part of COST_PARTS) pause[part] = known[part] * scale;
  pause.stacks += Math.max(0, cpuMs - totalOf(pause));
  return pause;
}
