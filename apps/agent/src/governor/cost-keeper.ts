import type { DurationMs } from '@hearth/profile-model';
import type { ProcessSeriesValue } from '@hearth/wire-format';
import type { AgentLog } from '../safety/agent-log.js';
import { threadCpuNanos } from '../samplers/thread-cpu.js';
import { Governor, type Budget } from './governor.js';
import type { Levers } from './levers.js';
import { COST_PARTS, OwnCost, noCosts, totalOf, type Costs } from './own-cost.js';

/** Work of a flush that has begun; between two pieces the host's own work may run. */
export interface FlushPiece {
  readonly beganAt: number;
  readonly cpuNanos: number;
  /** What is known of its parts. */
  readonly parts: OwnCost;
}

/** Adds up what the agent costs its host, says it, and has the governor's decisions carried out. */
export class CostKeeper {
  /** What is spent between flushes. */
  readonly between = new OwnCost();
  readonly #governor: Governor;
  readonly #apply: (levers: Levers) => void;
  readonly #log: AgentLog;
  /** CPU of the last flush, which ran in the period that runs. */
  #lastFlushCpuMs: DurationMs = 0;
  #lastPauseMs: DurationMs = 0;
  /** Of the flush that runs: what its pieces took of the thread's CPU, and how long the longest blocked the event loop. */
  #pieces: Costs[] = [];
  #longestMs: DurationMs = 0;

  constructor(budget: Budget, log: AgentLog, apply: (levers: Levers) => void) {
    this.#governor = new Governor(budget);
    this.#log = log;
    this.#apply = apply;
  }

  beginPiece(): FlushPiece {
    return { beganAt: performance.now(), cpuNanos: threadCpuNanos(), parts: new OwnCost() };
  }

  endPiece(piece: FlushPiece): void {
    this.#longestMs = Math.max(this.#longestMs, performance.now() - piece.beganAt);
    this.#pieces.push(costsOf(piece));
  }

  /**
   * After its last piece.
   *
   * @param durationMs - Of the period that it ended.
   * @param rate - `raised`: more was sampled in it for a while, so that it says nothing of the others.
   * @returns Whether it was too much, and was raised: the governor does nothing then.
   */
  endFlush(durationMs: DurationMs, rate: 'usual' | 'raised'): boolean {
    const spent = this.between.take();
    let pause = noCosts();
    this.#lastFlushCpuMs = 0;
    for (const piece of this.#pieces) {
      for (const part of COST_PARTS) spent[part] += piece[part];
      this.#lastFlushCpuMs += totalOf(piece);
      if (totalOf(piece) > totalOf(pause)) pause = piece;
    }
    this.#lastPauseMs = this.#longestMs;
    this.#pieces = [];
    this.#longestMs = 0;
    const cost = { durationMs, spent, pause };
    if (rate === 'raised') return this.#governor.isTooMuch(cost);
    const change = this.#governor.judge(cost);
    if (change === undefined) return false;
    this.#apply(change.levers);
    const pct = ((totalOf(spent) / durationMs) * 100).toFixed(1);
    this.#log.info(
      'AGENT_GOVERNOR',
      `${change.words}; the agent took ${pct} % of a core and ${totalOf(pause).toFixed(0)} ms in its last flush`,
    );
    return false;
  }

  /** What the agent took in the period that ends, the flush at its beginning included, and what it does less of: parts of what was asked for, from its first measure on. @param threadsMicros - The same of worker threads */
  series(threadsMicros: number): ProcessSeriesValue[] {
    const series = [
      { name: 'agent_flush_micros', value: Math.round(this.#lastPauseMs * 1000) },
      { name: 'agent_cpu_micros', value: Math.round((this.between.totalMs + this.#lastFlushCpuMs) * 1000 + threadsMicros) },
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

/** The CPU of the thread, where that is less than the time that went by: a machine that is busy with others is none of our cost. What no part is known of is the stacks'. */
function costsOf({ beganAt, cpuNanos, parts }: FlushPiece): Costs {
  const costs = noCosts();
  const known = parts.take();
  const wallMs = performance.now() - beganAt;
  const cpuMs = Math.min(wallMs, Math.max(0, threadCpuNanos() - cpuNanos) / 1e6);
  const scale = wallMs > 0 ? cpuMs / wallMs : 0; // parts are timed by the clock
  for (const part of COST_PARTS) costs[part] = known[part] * scale;
  costs.stacks += Math.max(0, cpuMs - totalOf(costs));
  return costs;
}
