/** Where a function stands in its script. */
export interface FunctionPlace {
  readonly scriptId: number;
  /** Where V8's profilers say that it is defined; see `positionOf`. */
  readonly start: number;
  /** Behind its last character. */
  readonly end: number;
}

/** Columns of one line; what is further right has no position. */
const MAX_COLUMN = 2 ** 25;
const MAX_LINE = 2 ** 27;

/** One number for both, each from 1, in the order of the text; `undefined` where one is unknown. */
export function positionOf(line: number, column: number): number | undefined {
  return line > 0 && column > 0 && line < MAX_LINE && column < MAX_COLUMN ? line * MAX_COLUMN + column : undefined;
}

/** The text of a handler, and whose it is. */
export interface HandlerRange extends FunctionPlace {
  readonly kind: 'http' | 'custom';
  /** Transactions that run it. `undefined`: it is called in none, too. */
  readonly owners: Set<string | undefined>;
  /** Handlers are written in it that run outside of it, as where a service is set up: so it gives its functions to others, and who runs them says nothing. */
  givesAway: boolean;
  /** The smallest range around it. */
  readonly outer: HandlerRange | undefined;
}

/** Ranges of handlers, found by a place in them. Functions nest, so ranges do. */
export class HandlerRanges {
  /** By script, in the order of their starts. */
  readonly #ofScript = new Map<number, Mutable<HandlerRange>[]>();

  get isEmpty(): boolean {
    return this.#ofScript.size === 0;
  }

  /** Whatever comes first, all around a route give their functions away. @returns The range with this start, which is the one before if there is one. */
  add({ scriptId, start, end }: FunctionPlace, kind: HandlerRange['kind']): HandlerRange {
    const ranges = this.#ofScript.get(scriptId) ?? [];
    const known = ranges.find((range) => range.start === start);
    if (known !== undefined) return known;
    const added = { scriptId, start, end, kind, owners: new Set<string | undefined>(), givesAway: false, outer: undefined };
    ranges.push(added);
    ranges.sort((a, b) => a.start - b.start);
    this.#ofScript.set(scriptId, ranges);
    ranges.forEach((range, at) => {
      range.outer = around(ranges[at - 1], range.start);
      if (range.kind === 'http')
        for (let one: Mutable<HandlerRange> | undefined = range.outer; one !== undefined; one = one.outer) one.givesAway = true;
    });
    return added;
  }

  /** The smallest range that a place is in, its start included. */
  at(scriptId: number, position: number): HandlerRange | undefined {
    const ranges = this.#ofScript.get(scriptId);
    if (ranges === undefined) return undefined;
    let [low, high] = [0, ranges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ranges[middle]!.start <= position) low = middle + 1;
      else high = middle;
    }
    return around(ranges[low - 1], position);
  }
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** @param last - The last that begins before the position, or there */
function around(last: HandlerRange | undefined, position: number): HandlerRange | undefined {
  let range = last;
  while (range !== undefined && range.end <= position) range = range.outer;
  return range;
}

/** Whether `inner` lies in `outer`, or is it. */
export function isWithin(inner: FunctionPlace, outer: FunctionPlace): boolean {
  return inner.scriptId === outer.scriptId && inner.start >= outer.start && inner.end <= outer.end;
}
