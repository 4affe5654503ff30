/** A place in an `OpenList`. */
export interface OpenPlace<Item> {
  readonly item: Item;
  before: OpenPlace<Item> | undefined;
  after: OpenPlace<Item> | undefined;
  isOpen: boolean;
}

/**
 * Things that are open, in the order in which they came; any of them may leave at any time.
 *
 * Not a `Set`: V8 makes a new table for one after every few things that came and left, and the old table refers to the new one. Once one of them has become old,
 * all later tables, and what was in them, live until the next full collection: megabytes in a small service.
 */
export class OpenList<Item> {
  #first: OpenPlace<Item> | undefined;
  #last: OpenPlace<Item> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The first of them, `undefined` where there is none. */
  get first(): Item | undefined {
    return this.#first?.item;
  }

  /** From the first to the last; the one that was just given may leave meanwhile, and no other. */
  *[Symbol.iterator](): Iterator<Item> {
    for (let place = this.#first, next; place !== undefined; place = next) {
      next = place.after;
      yield place.item;
    }
  }

  /** @returns What `remove` takes. */
  add(item: Item): OpenPlace<Item> {
    const place: OpenPlace<Item> = { item, before: this.#last, after: undefined, isOpen: true };
    if (this.#last === undefined) this.#first = place;
    else this.#last.after = place;
    this.#last = place;
    this.#size += 1;
    return place;
  }

  /** @returns Whether it was there. */
  remove(place: OpenPlace<Item>): boolean {
    if (!place.isOpen) return false;
    const { before, after } = place;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    place.isOpen = false;
    place.before = place.after = undefined; // what has left leads to nothing
    this.#size -= 1;
    return true;
  }
}
