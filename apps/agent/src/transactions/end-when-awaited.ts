import { isProxy } from 'node:util/types';
import type { Outcome } from '@hearth/wire-format';
import type { Guard } from '../safety/guard.js';
import { lookLike } from '../safety/look-like.js';
import { outcomeOfError } from './outcome.js';
import { runInScope } from './run-in-scope.js';
import type { Scope } from './transaction.js';
import type { TransactionTracker } from './transaction-tracker.js';

/** What is current while a function runs. */
export interface Place {
  readonly tracker: TransactionTracker;
  readonly guard: Guard;
  readonly scope: Scope | undefined;
}

type Then = (this: unknown, ...args: unknown[]) => unknown;

/** A `then` of ours that an object of the host has for a moment. */
interface Layer {
  /** Its own `then` before. */
  readonly before: PropertyDescriptor | undefined;
  isOver: boolean;
}
const layers = new WeakMap<object, Layer>();

const NOW = Promise.resolve();

/**
 * For a result that has a `then` and is no promise: a query that is sent once somebody awaits it, or what throws then. Only the host awaits it. If it does so before the event loop
 * goes on, it ends when that is settled, and runs in its place until then. By itself the object has a `then` of ours meanwhile; after it, it is as it was.
 *
 * @param ended - Called once: at once where the object cannot be changed, and as `ok` where nobody has awaited it.
 */
export function endWhenAwaited(result: object, ended: (outcome: Outcome) => void, place: Place | undefined): void {
  const then = thenOf(result);
  const layer: Layer = { before: Object.getOwnPropertyDescriptor(result, 'then'), isOver: false };
  let hasEnded = false;
  const end = (outcome: Outcome): void => {
    if (!hasEnded) ended(outcome);
    hasEnded = true;
  };
  const ours: Then = function (this, ...args) {
    if (layer.isOver || this !== result) return Reflect.apply(then!, this, args);
    remove(result, ours, layer);
    return followThen((given) => Reflect.apply(then!, this, given), args, end, place);
  };
  if (then === undefined || !define(result, ours, layer.before)) return end('ok');
  layers.set(lookLike(ours, then), layer);
  // A tick that a microtask asks for comes after all microtasks, in which it is awaited; and it holds no process, as an immediate would.
  void NOW.then(() =>
    process.nextTick(() => {
      if (layer.isOver) return;
      remove(result, ours, layer);
      end('ok');
    }),
  );
}

/** Calls `then` in `place`; its callbacks run where the host called it. */
function followThen(
  then: (args: readonly unknown[]) => unknown,
  [onDone, onError, ...rest]: readonly unknown[],
  end: (outcome: Outcome) => void,
  place: Place | undefined,
): unknown {
  const within = <Result>(scope: Scope | undefined, fn: () => Result): Result =>
    place === undefined ? fn() : runInScope(place.tracker, place.guard, scope, fn);
  const around = place?.guard.run(() => place.tracker.wiring.current(), undefined);
  const done = (value: unknown): unknown => {
    end('ok');
    return typeof onDone === 'function' ? within(around, () => Reflect.apply(onDone, undefined, [value])) : value;
  };
  const failed = (error: unknown): unknown => {
    end(outcomeOfError(error));
    if (typeof onError !== 'function') throw error;
    return within(around, () => Reflect.apply(onError, undefined, [error]));
  };
  try {
    return within(place?.scope, () => then([done, failed, ...rest]));
  } catch (error) {
    end(outcomeOfError(error));
    throw error;
  }
}

/** `undefined` where it is computed, or something of the host would notice that we look. */
function thenOf(result: object): Then | undefined {
  for (let owner: object | null = result; owner !== null; owner = Object.getPrototypeOf(owner) as object | null) {
    if (isProxy(owner)) return undefined;
    const own = Object.getOwnPropertyDescriptor(owner, 'then');
    if (own !== undefined) return own.value as Then | undefined;
  }
  return undefined;
}

/** @returns Whether it could be. */
function define(result: object, ours: Then, before: PropertyDescriptor | undefined): boolean {
  if (before?.configurable === false) return false;
  // oxlint-disable-next-line unicorn/no-thenable -- the object is a thenable of the host's already: ours stands in for its `then`
  return Reflect.defineProperty(result, 'then', { writable: true, ...before, configurable: true, value: ours });
}

/** Unless another lies above it, of ours or of the host's: that of ours takes it with it. */
function remove(result: object, ours: Then, layer: Layer): void {
  layer.isOver = true;
  if (Object.getOwnPropertyDescriptor(result, 'then')?.value !== ours) return;
  let { before } = layer;
  for (let under = layers.get(before?.value as object); under?.isOver === true; under = layers.get(before?.value as object))
    before = under.before;
  if (before === undefined) Reflect.deleteProperty(result, 'then');
  // oxlint-disable-next-line unicorn/no-thenable -- gives the host's thenable its own `then` back
  else Reflect.defineProperty(result, 'then', before);
}
