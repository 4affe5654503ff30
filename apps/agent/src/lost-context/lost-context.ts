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
/** Functions, each under one transaction, that one period tells apart. */
const MAX_TOLD_APART = 1_000;

interface Packed {
  readonly writtenIn: WrittenIn;
  readonly transaction: Transaction | undefined;
  readonly count: number;
}

interface Lost {
  readonly writtenIn: WrittenIn;
  /** The transaction that its samples carry; `undefined`: none. */
  readonly ranUnder: string | undefined;
  count: number;
}

/**
 * Counts samples of functions that are written in the handler of one transaction and ran under another, or under none: so it is where a library keeps callbacks and
 * calls them in the context of somebody else. Where that cannot be told for sure a sample is not counted.
 */
export class LostContext {
  readonly #watched: WatchedHandlers;
  readonly #log: AgentLog;
  /** Functions that were said. */
  readonly #said = new Set<string>();
  /** Packed with the period that runs, and not judged yet. */
  #packed: Packed[] = [];

  constructor(watched: WatchedHandlers, log: AgentLog) {
    this.#watched = watched;
    this.#log = log;
  }

  /** Samples of one stack that are packed: the name of their transaction does not change any more. */
  look(writtenIn: WrittenIn, transaction: Transaction | undefined, count: number): void {
    this.#packed.push({ writtenIn, transaction, count });
  }

  /** Judges what was packed, and gives how much of it was lost; nothing where no handler is watched. Says the worst function that was not said. */
  endPeriod(): ProcessSeriesValue[] {
    const packed = this.#packed;
    this.#packed = [];
    for (const one of packed) {
      if (one.writtenIn.isHandler) this.#noteCalls(one);
      if (one.transaction !== undefined) this.#noteSetUp(one.transaction);
    }
    const watched = this.#watched.count;
    const series = watched === 0 ? [] : this.#judge(packed, watched);
    this.#watched.periodEnded();
    return series;
  }

  #judge(packed: readonly Packed[], watched: number): ProcessSeriesValue[] {
    const lost = new Map<string, Lost>();
    let [wrong, unlabelled] = [0, 0];
    for (const one of packed) {
      const { writtenIn, transaction, count } = one;
      if (!(transaction === undefined ? this.#isUnlabelled(writtenIn) : this.#isWrong(writtenIn, transaction))) continue;
      if (transaction === undefined) unlabelled += count;
      else wrong += count;
      const key = `${placeOf(writtenIn)} ${transaction?.name ?? ''}`;
      const known = lost.get(key);
      if (known !== undefined) known.count += count;
      else if (lost.size < MAX_TOLD_APART) lost.set(key, { writtenIn, ranUnder: transaction?.name, count });
    }
    this.#say(lost);
    return [
      { name: 'agent_watched_handlers_count', value: watched },
      { name: 'agent_wrong_context_count', value: Math.round(wrong) },
      { name: 'agent_no_context_count', value: Math.round(unlabelled) },
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

  #isUnlabelled({ range }: WrittenIn): boolean {
    return !range.givesAway && !this.#isFresh(range) && !isOwnedBy(range, undefined);
  }

  #isWrong({ range }: WrittenIn, transaction: Transaction): boolean {
    const names = namesOf(transaction);
    if (range.givesAway || names === undefined || names.some((name) => isOwnedBy(range, name))) return false;
    if (this.#isFresh(range) || names.some((name) => this.#watched.isFresh(name))) return false;
    const ownRanges = names.map((name) => this.#watched.rangeOf(name));
    if (ownRanges[0] === undefined) return false; // its own handler may be written in this one
    if (ownRanges.some((own) => own !== undefined && isWithin(own, range))) return false; // it sees all that is written around it
    return !(range.kind === 'http' && transaction.kind === 'http' && names.some((name) => mayBePassedOn(range, name)));
  }

  #isFresh({ owners }: HandlerRange): boolean {
    for (const name of owners) if (name !== undefined && !this.#watched.isFresh(name)) return false;
    return true;
  }

  #say(lost: ReadonlyMap<string, Lost>): void {
    if (lost.size === 0 || this.#said.size >= MAX_SAID || !this.#log.wouldSay('AGENT_CONTEXT_LOST')) return;
    const unsaid = [...lost.values()]
      .filter(({ writtenIn, count }) => count >= MIN_SAID_SAMPLES && !this.#said.has(placeOf(writtenIn)))
      .sort((a, b) => b.count - a.count)[0];
    if (unsaid === undefined) return;
    this.#said.add(placeOf(unsaid.writtenIn));
    this.#log.warn('AGENT_CONTEXT_LOST', wordsOf(unsaid));
  }
}

/** Its own name first, then those of the transactions it runs in; `undefined` where they are not all known. */
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

function placeOf({ scriptName, line, column }: WrittenIn): string {
  return `${scriptName}:${line}:${column}`;
}

function wordsOf({ writtenIn, ranUnder, count }: Lost): string {
  const owner = [...writtenIn.range.owners].find((name) => name !== undefined);
  const under = ranUnder === undefined ? 'in no transaction' : `under "${ranUnder}"`;
  const times = `in ${Math.max(1, Math.round(count))} samples of this period`;
  const name = writtenIn.name === '' ? 'a function' : writtenIn.name;
  const place = `(${placeOf(writtenIn)})`;
  return writtenIn.isHandler
    ? `${name} ${place}, the handler of "${owner}", ran ${under} ${times}: what runs before it loses the context. Give that a callback made with bind()`
    : `${name} ${place}, written in the handler of "${owner}", ran ${under} ${times}: it, or what began it, was kept and called without its context. Give away bind() of it instead`;
}
