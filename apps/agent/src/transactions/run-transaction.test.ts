/* oxlint-disable unicorn/no-thenable, typescript/await-thenable -- this file tries objects of hosts that have a `then` and are no promises, and awaits them as hosts do */
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Guard } from '../safety/guard.js';
import { runThrough } from '../safety/run-through.js';
import { wireWithoutSampler } from './context-wiring.js';
import { runSpan, runTransaction, runWithLabels } from './run-transaction.js';
import { TransactionTracker } from './transaction-tracker.js';

const guard: Guard = {
  run: (work) => work(),
  through: (around, fn) => runThrough(around, fn, guard.report),
  report: (fault) => {
    throw fault;
  },
};

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** As a query builder: nothing happens until `then` is called. */
class Lazy {
  thens = 0;
  readonly #run: () => Promise<unknown>;

  constructor(run: () => Promise<unknown> = () => Promise.resolve('rows')) {
    this.#run = run;
  }

  then(onDone?: (value: unknown) => unknown, onError?: (error: unknown) => unknown): Promise<unknown> {
    this.thens += 1;
    return this.#run().then(onDone, onError);
  }
}

function open() {
  const tracker = new TransactionTracker(wireWithoutSampler());
  const ended: string[] = [];
  tracker.onEnded = ({ name, outcome }) => void ended.push(`${name} ${outcome}`);
  const run = <Result>(name: string, fn: () => Result): Result => runTransaction(tracker, guard, name, undefined, fn, fn);
  const step = <Result>(fn: () => Result): Result => runSpan(tracker, guard, 'step', fn, undefined);
  const current = (): string | undefined => {
    const scope = tracker.wiring.current();
    return scope?.spanName ?? scope?.transaction?.name;
  };
  return { ended, run, step, current };
}

describe('what a transaction gives', () => {
  it('is a promise that settles alike where it is a promise, also of a subclass and of another realm', async () => {
    const { ended, run } = open();
    class Later extends Promise<string> {}
    const given = run('later', () => Later.resolve('done'));
    expect(given).toBeInstanceOf(Later);
    const foreign = run('foreign', () => runInNewContext('Promise.reject(new Error("of a realm"))') as Promise<unknown>);
    expect(foreign).toBeInstanceOf(Promise);
    expect(ended).toEqual([]);
    expect(await given).toBe('done');
    await expect(foreign).rejects.toMatchObject({ message: 'of a realm' });
    expect(ended).toEqual(['later ok', 'foreign error']);
  });

  it('is the very object where that has a `then` and is no promise, and the transaction ends with what was awaited', async () => {
    const { ended, run, step, current } = open();
    const places: unknown[] = [];
    const lazy = new Lazy(async () => {
      places.push(current());
      await turn();
      places.push(current());
      return 'rows';
    });
    const given = run('load', () => step(() => lazy));
    expect(given).toBe(lazy);
    expect(lazy.thens).toBe(0);
    const awaited = run('around', async () => [await given, current()]);
    await turn();
    expect(ended).toEqual([]);
    expect(await awaited).toEqual(['rows', 'around']);
    expect(ended).toEqual(['load ok', 'around ok']);
    expect(places).toEqual(['step', 'step']);
    await lazy;
    expect(places.slice(2)).toEqual([undefined, undefined]); // the second query is nobody's
    expect([Object.keys(lazy), lazy.thens]).toEqual([['thens'], 2]);
  });

  it('runs the callbacks of `then` where that is called', async () => {
    const { ended, run, current } = open();
    const places: unknown[] = [];
    await run('around', () => run('load', () => new Lazy()).then(() => places.push(current())));
    await run('around', () =>
      run('fails', () => new Lazy(() => Promise.reject(new TypeError('none')))).then(undefined, () => places.push(current())),
    );
    expect(places).toEqual(['around', 'around']);
    expect(ended).toEqual(['load ok', 'around ok', 'fails error', 'around ok']);
  });

  it('passes on what `then` throws, and what is not handled', async () => {
    const { ended, run } = open();
    const throwing: PromiseLike<unknown> = {
      then: () => {
        throw new Error('call promise()');
      },
    };
    await expect((async () => await run('throws', () => throwing))()).rejects.toThrow('call promise()');
    await expect(run('fails', () => new Lazy(() => Promise.reject(new Error('no rows')))).then(undefined)).rejects.toThrow(
      'no rows',
    );
    expect(ended).toEqual(['throws error', 'fails error']);
    expect(Object.keys(throwing)).toEqual(['then']);
  });

  it('is left as it was where nobody awaits it in the same turn, and the transaction is over', async () => {
    const { ended, run, step } = open();
    const own = Object.assign(Object.create(null) as object, { then: () => {} });
    const before = Object.getOwnPropertyDescriptor(own, 'then');
    const lazy = new Lazy();
    run('own', () => step(() => own));
    run('lazy', () => run('inner', () => lazy));
    await turn();
    await turn();
    expect(ended).toEqual(['own ok', 'inner ok', 'lazy ok']);
    expect(Object.getOwnPropertyDescriptor(own, 'then')).toEqual(before);
    expect([Object.hasOwn(lazy, 'then'), lazy.thens]).toEqual([false, 0]);
  });

  it('is never touched where it is frozen, a proxy, or has a `then` that is computed', () => {
    const { ended, run } = open();
    const touched: string[] = [];
    const proxy = new Proxy(new Lazy(), {
      defineProperty: (...args) => {
        touched.push('defineProperty');
        return Reflect.defineProperty(...args);
      },
      deleteProperty: (...args) => {
        touched.push('deleteProperty');
        return Reflect.deleteProperty(...args);
      },
    });
    const computed = {
      get then() {
        return () => {};
      },
    };
    for (const result of [Object.freeze(new Lazy()), proxy, computed]) {
      const before = Object.getOwnPropertyDescriptors(result);
      expect(run('one', () => result)).toBe(result);
      expect(Object.getOwnPropertyDescriptors(result)).toEqual(before);
    }
    expect(ended).toEqual(['one ok', 'one ok', 'one ok']);
    expect(touched).toEqual([]);
  });
});

it('runWithLabels keeps the labels that are fine where one throws, and tells of that one', () => {
  const faults: unknown[] = [];
  const collecting: Guard = { ...guard, report: (fault) => void faults.push(fault) };
  const tracker = new TransactionTracker(wireWithoutSampler());
  const labels = {
    plan: 'pro',
    get bad(): string {
      throw new Error('of a getter');
    },
  };
  const current = (): unknown => tracker.wiring.current()?.scopeLabels?.clean;
  const inner = (): unknown => runWithLabels(tracker, collecting, labels, current);
  expect(runWithLabels(tracker, collecting, { region: 'eu' }, inner)).toEqual([
    ['region', 'eu'],
    ['plan', 'pro'],
  ]);
  expect(faults).toEqual([new Error('of a getter')]);
});
