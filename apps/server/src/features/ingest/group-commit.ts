import type { EpochMs } from '@hearth/profile-model';
import { FairQueue } from './fair-queue.js';

/** How long a batch waits for company: a commit for each could not reach the rate that is asked of us. */
const GATHER_MS = 10;
const MAX_BLOCKS = 500;
/** Database transactions at once. While they run, the next group gathers. */
const MAX_RUNNING = 2;

interface Waiting<Item, Outcome> {
  readonly item: Item;
  readonly sinceMs: EpochMs;
  readonly done: (outcome: Outcome) => void;
  readonly failed: (error: unknown) => void;
}

export interface GroupCommitOptions<Item, Outcome> {
  /** Stores all items in one database transaction, or none: then it rejects. @returns One outcome for each item. */
  readonly store: (items: Item[]) => Promise<readonly Outcome[]>;
  /** Items of one project are stored in their order; projects take turns. */
  readonly projectOf: (item: Item) => number;
  /** Blocks that an item brings. */
  readonly blocksIn: (item: Item) => number;
  /** Whether an error may be the fault of one item, so that the others are worth another try without it. */
  readonly mayBeOneItem: (error: unknown) => boolean;
}

/** Gathers items for up to 10 ms or 500 blocks and stores them together. */
export class GroupCommit<Item, Outcome> {
  readonly #options: GroupCommitOptions<Item, Outcome>;
  readonly #waiting = new FairQueue<number, Waiting<Item, Outcome>>();
  #waitingBlocks = 0;
  #running = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: GroupCommitOptions<Item, Outcome>) {
    this.#options = options;
  }

  /** Resolves after the commit. */
  add(item: Item): Promise<Outcome> {
    return new Promise((done, failed) => {
      this.#waiting.push(this.#options.projectOf(item), { item, sinceMs: Date.now(), done, failed });
      this.#waitingBlocks += this.#options.blocksIn(item);
      if (this.#waitingBlocks >= MAX_BLOCKS) this.#flush();
      else
        this.#timer ??= setTimeout(() => {
          this.#flush();
        }, GATHER_MS);
    });
  }

  /** How long the oldest item of a project has been in line. */
  waitedMs(projectId: number): number {
    const first = this.#waiting.firstOf(projectId);
    return first === undefined ? 0 : Date.now() - first.sinceMs;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#running >= MAX_RUNNING || this.#waiting.length === 0) return; // the one that ends flushes again
    const group = this.#take();
    this.#running += 1;
    void this.#commit(group).finally(() => {
      this.#running -= 1;
      this.#flush();
    });
    if (this.#waiting.length > 0) this.#flush();
  }

  /** Up to `MAX_BLOCKS`, at least one item. */
  #take(): Waiting<Item, Outcome>[] {
    const group: Waiting<Item, Outcome>[] = [];
    let blocks = 0;
    for (let next = this.#waiting.first; next !== undefined; next = this.#waiting.first) {
      const more = this.#options.blocksIn(next.item);
      if (group.length > 0 && blocks + more > MAX_BLOCKS) break;
      blocks += more;
      group.push(this.#waiting.shift()!);
    }
    this.#waitingBlocks -= blocks;
    return group;
  }

  async #commit(group: Waiting<Item, Outcome>[]): Promise<void> {
    try {
      const outcomes = await this.#options.store(group.map(({ item }) => item));
      group.forEach(({ done }, at) => {
        done(outcomes[at]!);
      });
    } catch (error) {
      if (group.length === 1 || !this.#options.mayBeOneItem(error)) {
        for (const { failed } of group) failed(error);
        return;
      }
      // Nothing of the group is stored. One by one, only the bad one fails.
      for (const one of group) await this.#commit([one]);
    }
  }
}
