import type { ProcessSeriesValue } from '@hearth/wire-format';
import type { AgentLog } from '../safety/agent-log.js';
import type { Transaction } from '../transactions/transaction.js';
import { isWithin, type HandlerRange } from './handler-ranges.js';
import type { WatchedHandlers } from './watched-handlers.js';
import type { WrittenIn } from './written-in.js';

/** One line for a function, and no more functions than these. */
const MAX_SAID = 256;
/** Of a period: what is rarer is counted, and no reason to change a program. */
const MIN_SAID_SAMPLES = 3;
/** Functions, each under the same transactions, that are held for a period; what is beyond is judged at once. */
const MAX_HELD = 1_000;

interface Packed {
  readonly writtenIn: WrittenIn;
  readonly transaction: Transaction | undefined;
  readonly count: number;
}

/** What is kept of a transaction that samples carry. */
interface RanUnder {
  /** Its own first, then those of the transactions it runs in. */
  readonly names: readonly string[];
  readonly kind: Transaction['kind'];
}

/** Samples of one function, under the same transactions. */
interface FunctionSamples {
  readonly writtenIn: WrittenIn;
  /** `undefined`: none. */
  readonly ranUnder: RanUnder | undefined;
  count: number;
}

/**
 * Counts samples of functions that are written in the handler of one transaction and ran under another, or under none: so it is where a library keeps callbacks and
 * calls them in the context of somebody else. Where that cannot be told for sure a sample is not counted; one that looks lost
 * is held until the period after its own has shown who calls what, too.
 */
export class LostContext {
  readonly #watched: WatchedHandlers;
  readonly #log: AgentLog;
  /** Functions that were said. */
  readonly #said = new Set<string>();
  /** Packed with the period that runs, and not judged yet. */
  #packed: Packed[] = [];
  /** Lost as far as their own period could tell, the one before. */
  readonly #held = new Map<string, FunctionSamples>();

  constructor(watched: WatchedHandlers, log: AgentLog) {
    this.#watched = watched;
    this.#log = log;
  }

  /** Samples of one stack that are packed: the name of their transaction does not change any more. */
  look(writtenIn: WrittenIn, transaction: Transaction | undefined, count: number): void {
    this.#packed.push({ writtenIn, transaction, count });
  }

  /**
   * Judges what was packed and held, and gives how much of it was lost; nothing where no handler is watched. Says the worst function that was not said.
   *
   * @param isLast - Nothing is held any more.
   */
  endPeriod(isLast: boolean): ProcessSeriesValue[] {
    const packed = this.#packed;
    this.#packed = [];
    for (const one of packed) {
      if (one.writtenIn.isHandler) this.#noteCalls(one);
      if (one.transaction !== undefined) this.#noteSetUp(one.transaction);
    }
    const lost = [...this.#held.values()].filter((one) => this.#isLost(one));
    this.#held.clear();
    for (const { writtenIn, transaction, count } of packed) {
      const names = transaction && namesOf(transaction);
      const ranUnder = names && { names, kind: transaction.kind };
      if (transaction !== undefined && ranUnder === undefined) continue; // it may own the function
      const one = { writtenIn, ranUnder, count };
      if (this.#isLost(one) && !addTo(this.#held, keyOf(one), one)) lost.push(one);
    }
    if (isLast) {
      lost.push(...this.#held.values());
      this.#held.clear();
    }
    this.#say(lost);
    const watched = this.#watched.count;
    this.#watched.periodEnded();
    if (watched === 0) return [];
    return [
      { name: 'agent_watched_handlers_count', value: watched },
      { name: 'agent_wrong_context_count', value: countOf(lost.filter(({ ranUnder }) => ranUnder !== undefined)) },
      { name: 'agent_no_context_count', value: countOf(lost.filter(({ ranUnder }) => ranUnder === undefined)) },
    ];
  }

  /** A handler that runs in another transaction is that one's, too: it has been called, or a function that is written in the same place has, as where `asyncHandler(fn)` wraps handlers and middleware alike. */
  #noteCalls({ writtenIn: { range }, transaction }: Packed): void {
    if (transaction === undefined) {
      if (range.kind === 'custom') range.owners.add(undefined);
      return;
    }
    const { name } = transaction;
    if (name !== undefined && this.#watched.rangeOf(name) !== undefined) range.owners.add(name);
  }

  #noteSetUp(transaction: Transaction): void {
    let around = transaction.name === undefined ? undefined : this.#watched.rangeOf(transaction.name)?.outer;
    if (around === undefined) return;
    const names = namesOf(transaction) ?? [];
    for (; around !== undefined; around = around.outer)
      if (!names.some((name) => around!.owners.has(name))) around.givesAway = true;
  }

  #isLost({ writtenIn, ranUnder }: FunctionSamples): boolean {
    return ranUnder === undefined ? this.#isUnlabelled(writtenIn) : this.#isWrong(writtenIn, ranUnder);
  }

  #isUnlabelled({ range }: WrittenIn): boolean {
    return !range.givesAway && !this.#isFresh(range) && !isOwnedBy(range, undefined);
  }

  #isWrong({ range }: WrittenIn, { names, kind }: RanUnder): boolean {
    if (range.givesAway || names.some((name) => isOwnedBy(range, name))) return false;
    if (this.#isFresh(range) || names.some((name) => this.#watched.isFresh(name))) return false;
    const ownRanges = names.map((name) => this.#watched.rangeOf(name));
    if (ownRanges[0] === undefined) return false; // its own handler may be written in this one
    if (ownRanges.some((own) => own !== undefined && isWithin(own, range))) return false; // it sees all that is written around it
    return !(range.kind === 'http' && kind === 'http' && names.some((name) => mayBePassedOn(range, name)));
  }

  #isFresh({ owners }: HandlerRange): boolean {
    for (const name of owners) if (name !== undefined && !this.#watched.isFresh(name)) return false;
    return true;
  }

  #say(lost: readonly FunctionSamples[]): void {
    if (lost.length === 0 || this.#said.size >= MAX_SAID || !this.#log.wouldSay('AGENT_CONTEXT_LOST')) return;
    const told = new Map<string, FunctionSamples>();
    for (const one of lost) addTo(told, `${placeOf(one.writtenIn)} ${one.ranUnder?.names[0] ?? ''}`, one);
    const unsaid = [...told.values()]
      .filter(({ writtenIn, count }) => count >= MIN_SAID_SAMPLES && !this.#said.has(placeOf(writtenIn)))
      .sort((a, b) => b.count - a.count)[0];
    if (unsaid === undefined) return;
    this.#said.add(placeOf(unsaid.writtenIn));
    this.#log.warn('AGENT_CONTEXT_LOST', wordsOf(unsaid));
  }
}

function countOf(samples: readonly FunctionSamples[]): number {
  return Math.round(samples.reduce((sum, { count }) => sum + count, 0));
}

/** @returns Whether there was room. */
function addTo(held: Map<string, FunctionSamples>, key: string, one: FunctionSamples): boolean {
  const known = held.get(key);
  if (known !== undefined) known.count += one.count;
  else if (held.size < MAX_HELD) held.set(key, { ...one });
  else return false;
  return true;
}

/** Its own first, then those of the transactions it runs in. @returns `undefined` where they are not all known */
function namesOf(transaction: Transaction): string[] | undefined {
  if (!transaction.knowsParents) return undefined;
  const names: string[] = [];
  for (let one: Transaction | undefined = transaction; one !== undefined; one = one.parent) {
    const name = one.name ?? one.findName?.();
    if (name === undefined) return undefined;
    names.push(name);
  }
  return names;
}

function isOwnedBy(range: HandlerRange, name: string | undefined): boolean {
  for (let one: HandlerRange | undefined = range; one !== undefined; one = one.outer) if (one.owners.has(name)) return true;
  return false;
}

/** Handlers pass requests on, to a route that matches them too. */
function mayBePassedOn({ owners }: HandlerRange, name: string): boolean {
  for (const owner of owners) if (owner !== undefined && mayMatchTheSame(routeOf(owner), routeOf(name))) return true;
  return false;
}

/** Of `GET /users/:id`, and a GraphQL operation behind it. */
function routeOf(name: string): string {
  return name.slice(name.indexOf(' ') + 1);
}

const OPEN_ENDED = /[*?+(){}[\]]/;

/** Whether there may be a URL that both routes match. */
export function mayMatchTheSame(a: string, b: string): boolean {
  if (OPEN_ENDED.test(a) || OPEN_ENDED.test(b)) return true;
  const [partsOfA, partsOfB] = [a, b].map((route) => {
    const [path = ''] = route.toLowerCase().split(' ');
    return path.split('/').filter((part) => part !== '');
  });
  return (
    partsOfA!.length === partsOfB!.length &&
    partsOfA!.every((part, at) => part.includes(':') || partsOfB![at]!.includes(':') || part === partsOfB![at])
  );
}

/** The same for what is judged alike. */
function keyOf({ writtenIn, ranUnder }: FunctionSamples): string {
  return JSON.stringify([writtenIn.range.scriptId, placeOf(writtenIn), ranUnder?.kind, ranUnder?.names]);
}

function placeOf({ scriptName, line, column }: WrittenIn): string {
  return `${scriptName}:${line}:${column}`;
}

function wordsOf({ writtenIn, ranUnder, count }: FunctionSamples): string {
  const owner = [...writtenIn.range.owners].find((name) => name !== undefined);
  const under = ranUnder === undefined ? 'in no transaction' : `under "${ranUnder.names[0]}"`;
  const times = `in ${Math.max(1, Math.round(count))} samples of a period`;
  const name = writtenIn.name === '' ? 'a function' : writtenIn.name;
  const place = `(${placeOf(writtenIn)})`;
  return writtenIn.isHandler
    ? `${name} ${place}, the handler of "${owner}", ran ${under} ${times}: what runs before it loses the context. Give that a callback made with bind()`
    : `${name} ${place}, written in the handler of "${owner}", ran ${under} ${times}: it, or what began it, was kept and called without its context. Give away bind() of it instead`;
}
