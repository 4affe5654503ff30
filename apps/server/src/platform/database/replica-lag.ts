import type { DurationMs } from '@hearth/profile-model';

/** Positions that are kept while the replica stands still: an hour of one a second. */
const MAX_POSITIONS = 3_600;

interface Written {
  readonly position: number;
  readonly atMs: number;
}

/**
 * How far a replica is behind. Positions in the log tell, and one clock, ours: the primary had written `position` at
 * `atMs`, so a replica that has replayed as much holds everything that was committed before.
 */
export class ReplicaLag {
  /** Oldest first. The first is the newest that is known to be replayed, if any is; the others are not. */
  #written: Written[] = [];
  #replayed = -1;

  /** The primary had written so many bytes of log. */
  noteWritten(position: number, atMs: number): void {
    // A primary that has gone back is another one: what was replayed of the old one means nothing.
    if (position < this.#replayed) this.forget();
    if (this.#written.length < MAX_POSITIONS) this.#written.push({ position, atMs });
    this.#drop();
  }

  /** The replica has replayed so many. */
  noteReplayed(position: number): void {
    this.#replayed = position;
    this.#drop();
  }

  /** Nothing is known any more. */
  forget(): void {
    this.#written = [];
    this.#replayed = -1;
  }

  /** The replica holds what was committed before `nowMs` minus this. `Infinity`: not known. */
  lagMs(nowMs: number): DurationMs {
    const newest = this.#written[0];
    return newest === undefined || newest.position > this.#replayed ? Infinity : nowMs - newest.atMs;
  }

  #drop(): void {
    const unreplayed = this.#written.findIndex(({ position }) => position > this.#replayed);
    const newestReplayed = (unreplayed < 0 ? this.#written.length : unreplayed) - 1;
    if (newestReplayed > 0) this.#written.splice(0, newestReplayed);
  }
}
