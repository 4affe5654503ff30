import { HandlerRanges, type HandlerRange } from './handler-ranges.js';
import { locateFunctions, type HostFunction } from './locate-functions.js';

/** Transactions whose handlers are known, by name. */
export const MAX_WATCHED = 256;
/** What is looked up after one period: about 3 ms of the thread. */
const MAX_LOOKED_UP = 16;

interface Noted {
  readonly handler: HostFunction;
  readonly kind: HandlerRange['kind'];
}

/**
 * The functions that transactions run: of each name the first. Where one stands in its script is looked up between two periods, never where the host works;
 * until then its samples are not judged, and the function is kept.
 */
export class WatchedHandlers {
  readonly ranges = new HandlerRanges();
  /** By the name of the transaction; `undefined`: not looked up yet, or it cannot be told where it stands. */
  readonly #rangeOf = new Map<string, HandlerRange | undefined>();
  readonly #unlocated = new Map<string, Noted>();
  /** So that a function that many transactions share is looked up once. */
  readonly #rangeOfHandler = new WeakMap<HostFunction, HandlerRange>();
  #isGivenUp = false;

  /** Those whose place is known. */
  get count(): number {
    let count = 0;
    for (const range of this.#rangeOf.values()) if (range !== undefined) count += 1;
    return count;
  }

  /** Asked for each transaction: whether its handler is not known yet, and there is room. */
  wants(name: string): boolean {
    return !this.#rangeOf.has(name) && this.#rangeOf.size < MAX_WATCHED && !this.#isGivenUp;
  }

  note(name: string, handler: unknown, kind: HandlerRange['kind']): void {
    if (!isFunction(handler) || !this.wants(name)) return;
    const range = this.#rangeOfHandler.get(handler);
    this.#rangeOf.set(name, range);
    if (range === undefined) this.#unlocated.set(name, { handler, kind });
    else range.owners.add(name);
  }

  rangeOf(name: string): HandlerRange | undefined {
    return this.#rangeOf.get(name);
  }

  get hasUnlocated(): boolean {
    return this.#unlocated.size > 0;
  }

  /** Looks some of them up, and lets go of them. Where that cannot be done there are none from here on. */
  locate(): void {
    // Those of routes first: they say which handlers only set a service up.
    const noted = [...this.#unlocated].sort(([, a], [, b]) => b.kind.localeCompare(a.kind)).slice(0, MAX_LOOKED_UP);
    for (const [name] of noted) this.#unlocated.delete(name);
    try {
      const places = locateFunctions(noted.map(([, { handler }]) => handler));
      noted.forEach(([name, { handler, kind }], at) => {
        const place = places[at];
        if (place === undefined) return;
        const range = this.ranges.add(place, kind);
        range.owners.add(name);
        if (kind === 'http') for (let around = range.outer; around !== undefined; around = around.outer) around.givesAway = true;
        this.#rangeOf.set(name, range);
        this.#rangeOfHandler.set(handler, range);
      });
    } catch {
      this.#isGivenUp = true;
      this.#unlocated.clear();
    }
  }
}

function isFunction(value: unknown): value is HostFunction {
  return typeof value === 'function';
}
