import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';

interface Tick {
  readonly name: string;
  readonly intervalMs: number;
  readonly run: () => Promise<void>;
}

/**
 * What the worker role does again and again, such as looking for pending windows. In this process only: two workers both
 * look, and what they find is queued under one id. An error is logged, and the next turn comes all the same.
 */
@Injectable()
export class Ticks implements BeforeApplicationShutdown {
  readonly #logger: Logger;
  readonly #ticks: Tick[] = [];
  readonly #timers = new Map<Tick, NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Registers `run`; its turns never overlap: the next is `intervalMs` after the end of the one before. */
  every(name: string, intervalMs: number, run: () => Promise<void>): void {
    this.#ticks.push({ name, intervalMs, run });
  }

  start(): void {
    for (const tick of this.#ticks) this.#schedule(tick, 0);
  }

  /** No new turns; waits for the running ones. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(this.#running);
  }

  #schedule(tick: Tick, delayMs: number): void {
    if (this.#stopped) return;
    this.#timers.set(
      tick,
      setTimeout(() => {
        const turn = this.#take(tick);
        this.#running.add(turn);
        void turn.finally(() => {
          this.#running.delete(turn);
          this.#schedule(tick, tick.intervalMs);
        });
      }, delayMs),
    );
  }

  async #take(tick: Tick): Promise<void> {
    try {
      await tick.run();
    } catch (error) {
      this.#logger.error({ err: error, tick: tick.name }, 'a repeated task failed; its next turn comes');
    }
  }
}
