import { setImmediate } from 'node:timers/promises';

/** More is felt by everybody else whom this process serves. */
const MAX_HOLD_MS = 10;

/** Long work in pieces: gives the event loop to others whenever it has held it for long. */
export class LoopTurns {
  #heldSince = performance.now();

  /** To be awaited between pieces of a few milliseconds. */
  async rest(): Promise<void> {
    if (performance.now() - this.#heldSince < MAX_HOLD_MS) return;
    await setImmediate();
    this.#heldSince = performance.now();
  }
}

/** Rows between two rests. */
export const ROWS_OF_A_PIECE = 2 ** 14;
