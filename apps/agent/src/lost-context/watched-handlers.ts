import { HandlerRanges, type HandlerRange } from './handler-ranges.js';
import { locateFunctions, type AnyFunction } from './locate-functions.js';

/** Transactions whose handlers are known, by name. */
const MAX_WATCHED = 256;
/** What is looked up after one period, about 3 ms of the thread, and so what is kept of the host's until then. */
const MAX_UNLOCATED = 16;
/** Names of which one transaction began. */
const MAX_SEEN_ONCE = 1_024;

interface Noted {
  readonly handler: AnyFunction;
  readonly kind: HandlerRange['kind'];
}

/**
 * The functions that transactions run: of each name the second, because what runs once sets something up, or has a name of its own. Where one stands in its script
 * is looked up between two periods, never where the host works; until then its samples are not judged, and the function is kept.
 */
export class WatchedHandlers {
  readonly ranges = new HandlerRanges();
  /** By the name of the transaction; `undefined`: not looked up yet, or it cannot be told where it stands. */
  readonly #rangeOf = new Map<string, HandlerRange | undefined>();
  readonly #unlocated = new Map<string, Noted>();
  /** So that a function that many transactions share is looked up once. */
  readonly #rangeOfHandler = new WeakMap<AnyFunction, HandlerRange>();
  readonly #seenOnce = new Set<string>();
  readonly #fresh = new Set<string>();

  /** Those whose place is known, and that are not fresh. */
  get count(): number {
    let count = 0;
    for (const range of this.#rangeOf.values()) if (range !== undefined) count += 1;
    return count - this.#fresh.size;
  }

  /** Known for less than a period: who else calls it may not have been seen yet. */
  isFresh(name: string): boolean {
    return this.#fresh.has(name);
  }

  periodEnded(): void {
    this.#fresh.clear();
  }

  /** Asked for each transaction: whether its handler is not known yet, and there is room. */
  wants(name: string): boolean {
    return !this.#rangeOf.has(name) && this.#rangeOf.size < MAX_WATCHED && this.#unlocated.size < MAX_UNLOCATED;
  }

  note(name: string, handler: unknown, kind: HandlerRange['kind']): void {
    if (!isFunction(handler) || !this.wants(name)) return;
    if (!this.#seenOnce.delete(name)) {
      if (this.#seenOnce.size >= MAX_SEEN_ONCE) this.#seenOnce.clear();
      this.#seenOnce.add(name);
      return;
    }
    const range = this.#rangeOfHandler.get(handler);
    this.#rangeOf.set(name, undefined);
    if (range === undefined) this.#unlocated.set(name, { handler, kind });
    else this.#watch(name, range);
  }

  rangeOf(name: string): HandlerRange | undefined {
    return this.#rangeOf.get(name);
  }

  get hasUnlocated(): boolean {
    return this.#unlocated.size > 0;
  }

  /** Looks them up, and lets go of them. Where that cannot be done now they are noted again when they run again. */
  locate(): void {
    const noted = [...this.#unlocated];
    this.#unlocated.clear();
    const places = locateFunctions(noted.map(([, { handler }]) => handler));
    if (places === undefined) {
      for (const [name] of noted) this.#rangeOf.delete(name);
      return;
    }
    noted.forEach(([name, { handler, kind }], at) => {
      const place = places[at];
      if (place === undefined) return;
      const range = this.ranges.add(place, kind);
      this.#watch(name, range);
      this.#rangeOfHandler.set(handler, range);
    });
  }

  #watch(name: string, range: HandlerRange): void {
    range.owners.add(name);
    this.#rangeOf.set(name, range);
    this.#fresh.add(name);
  }
}

function isFunction(value: unknown): value is AnyFunction {
  return typeof value === 'function';
}
