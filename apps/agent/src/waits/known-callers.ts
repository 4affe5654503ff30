import type { RawFunction } from '../samplers/stack-tables.js';
import type { OperationIndex } from './operation-table.js';

/** A stack that was seen of an operation, and how many milliseconds of waiting it stands for before it is scaled. */
export interface SeenStack {
  readonly framesRootFirst: readonly RawFunction[];
  readonly weight: number;
}

/** Operations of one transaction and step whose callers are known; where there are more, those that were not seen for longest are forgotten. */
export const MAX_KNOWN = 1_000;
/** Different callers of one of them: those with the most weight. */
export const MAX_CALLERS = 8;
/** Different ones of one period that are looked at. */
const MAX_LEARNT = 4 * MAX_CALLERS;
/** What a caller weighs in the next period in which others are seen. */
const FADING = 0.5;

/**
 * Who was seen to ask for an operation in a transaction, and a step of it. Only a part of the stacks is captured where captures are dear: what
 * comes once in a period is then seen in few of them, and mostly called from one place.
 */
export class KnownCallers {
  /** That which was seen last comes last. */
  readonly #known = new Map<string, readonly SeenStack[]>();

  learn(operation: OperationIndex, transaction: string, span: string, seen: readonly SeenStack[]): void {
    const key = keyOf(operation, transaction, span);
    const before = (this.#known.get(key) ?? []).map((caller) => ({ ...caller, weight: caller.weight * FADING }));
    const callers: { framesRootFirst: readonly RawFunction[]; weight: number }[] = before;
    for (const { framesRootFirst, weight } of seen) {
      const same = callers.find((caller) => isSameStack(caller.framesRootFirst, framesRootFirst));
      if (same !== undefined) same.weight += weight;
      else if (callers.length < MAX_LEARNT) callers.push({ framesRootFirst, weight });
    }
    this.#known.delete(key);
    this.#known.set(key, callers.toSorted((a, b) => b.weight - a.weight).slice(0, MAX_CALLERS));
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value!);
  }

  /** Empty where none was seen. */
  of(operation: OperationIndex, transaction: string, span: string): readonly SeenStack[] {
    return this.#known.get(keyOf(operation, transaction, span)) ?? [];
  }

  /** The only one that was seen; `undefined` where there is none, or a choice. */
  onlyOneOf(operation: OperationIndex, transaction: string, span: string): readonly RawFunction[] | undefined {
    const callers = this.of(operation, transaction, span);
    return callers.length === 1 ? callers[0]!.framesRootFirst : undefined;
  }
}

function keyOf(operation: OperationIndex, transaction: string, span: string): string {
  return `${operation} ${transaction}\n${span}`;
}

function isSameStack(a: readonly RawFunction[], b: readonly RawFunction[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, scriptName, line, column }, at) => {
      const other = b[at]!;
      return line === other.line && column === other.column && name === other.name && scriptName === other.scriptName;
    })
  );
}
