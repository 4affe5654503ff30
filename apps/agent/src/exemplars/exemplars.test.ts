import { NO_PARENT, labelValue } from '@hearth/profile-model';
import { MAX_EXEMPLARS, MAX_EXEMPLAR_SAMPLES, type Exemplar } from '@hearth/wire-format';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawContext, RawNode } from '../samplers/native-profiler.js';
import { readTimeTree } from '../samplers/read-time-tree.js';
import { StackTables } from '../samplers/stack-tables.js';
import { wireWithoutSampler } from '../transactions/context-wiring.js';
import { TransactionTracker } from '../transactions/transaction-tracker.js';
import type { Scope, Transaction } from '../transactions/transaction.js';
import { ExemplarSamples, MAX_CARRIED_SAMPLES } from './exemplar-samples.js';
import { KnownCallers, type SeenStack } from '../waits/known-callers.js';
import { packExemplars } from './pack-exemplars.js';

const INTERVAL_MICROS = 10_000;
const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

/** A sample of function `fN`, so long after the start of its transaction. */
interface Drawn {
  readonly scope: Scope | undefined;
  readonly fn: number;
  readonly afterMicros?: number;
}

/** The tree of one period. */
function treeOf(samples: readonly Drawn[]) {
  const nodes = new Map<number, RawContext[]>();
  for (const { scope, fn, afterMicros = 0 } of samples) {
    const startMs = performance.timeOrigin + (scope?.transaction?.startedAtMs ?? 0);
    const contexts = nodes.get(fn) ?? [];
    nodes.set(fn, contexts);
    contexts.push({
      timestamp: BigInt(Math.round(startMs * 1_000) + afterMicros),
      cpuTime: 4e6,
      ...(scope && { context: scope }),
    });
  }
  const node = (name: string, contexts: RawContext[], children: RawNode[] = []): RawNode => {
    return {
      name,
      scriptName: 'file:///srv/app.js',
      lineNumber: 1,
      columnNumber: 5,
      hitCount: contexts.length,
      contexts,
      children,
    };
  };
  const children = [...nodes].map(([fn, contexts]) => node(`f${fn}`, contexts));
  return {
    topDownRoot: node('(root)', [], [node('main', [], children)]),
    startTime: 0,
    endTime: samples.length * INTERVAL_MICROS,
  };
}
const asScope = (context: object | undefined): Scope | undefined => context as Scope | undefined;

/** Ends periods as the agent does. */
class Periods {
  readonly tracker = new TransactionTracker(wireWithoutSampler());
  readonly callers = new KnownCallers();
  readonly #samples = new ExemplarSamples();

  /** @param meanwhile - The host's own work, before the batch is made. */
  end(samples: readonly Drawn[], hasSamples = true, meanwhile?: () => void): { exemplars: Exemplar[]; tables: StackTables } {
    const tables = new StackTables();
    readTimeTree(treeOf(samples), tables, asScope, this.#samples.open(this.tracker.period.slowest.all));
    const period = this.tracker.endPeriod();
    meanwhile?.();
    const leafOf = () => ({ name: 'leaf', scriptName: '', line: 0 });
    const callerOf = this.callers.onlyOneOf.bind(this.callers);
    const exemplars = packExemplars(period.slowest.all, { tables, period, leafOf, callerOf, hasSamples });
    this.#samples.keepRunning(tables, this.tracker.period.slowest.all);
    return { exemplars, tables };
  }

  begin(name: string): Transaction {
    return this.tracker.begin('custom', name, []);
  }
}
const namesOf = (tables: StackTables, { samples }: Exemplar): string[] =>
  tables.framesRootFirst([...samples.stack]).map((frames) => frames.map(({ name }) => name).join(';'));
const times = <Item>(count: number, make: (at: number) => Item): Item[] => Array.from({ length: count }, (_, at) => make(at));

describe('exemplars', () => {
  it('take each sample in a scope once, with what it is counted with, and leave the counts alone', () => {
    const transactions = times(4, (at) => new TransactionTracker(wireWithoutSampler()).begin('custom', `t${at}`, []));
    const drawn = fc.record({ at: fc.nat(4), fn: fc.nat(3), afterMicros: fc.nat(1_000_000) });
    fc.assert(
      fc.property(fc.array(drawn, { maxLength: 60 }), (list) => {
        const samples = list.map(({ at, ...rest }) => ({ scope: transactions[at], ...rest }));
        const taken = new Map<Scope, { wall: number; cpu: number }>();
        const { rows } = readTimeTree(treeOf(samples), new StackTables(), asScope, (scope, _stack, _at, wall, cpu) => {
          const sums = taken.get(scope) ?? { wall: 0, cpu: 0 };
          taken.set(scope, { wall: sums.wall + wall, cpu: sums.cpu + cpu });
        });
        expect(rows).toEqual(readTimeTree(treeOf(samples), new StackTables(), asScope).rows);
        for (const transaction of transactions) {
          const own = rows.filter(({ scope }) => scope === transaction);
          expect(taken.get(transaction)?.wall ?? 0).toBeCloseTo(sum(own.map(({ wallMicros }) => wallMicros)));
          expect(taken.get(transaction)?.cpu ?? 0).toBeCloseTo(sum(own.map(({ cpuMicros }) => cpuMicros ?? 0)));
        }
      }),
    );
  });

  it('hold the samples of all periods, in order and with their stacks', () => {
    const periods = new Periods();
    const long = periods.begin('long');
    const first = periods.end(times(30, (at) => ({ scope: long, fn: at % 3, afterMicros: at })));
    expect(first.exemplars).toEqual([]);
    periods.end(times(20, () => ({ scope: long, fn: 7 })));
    periods.tracker.end(long, 'error');
    const { exemplars, tables } = periods.end([
      { scope: undefined, fn: 9 },
      { scope: long, fn: 1 },
      { scope: long, fn: 8, afterMicros: 60_000_000 }, // it has ended before
    ]);
    const [exemplar] = exemplars as [Exemplar];
    expect(exemplar).toMatchObject({ kind: 'custom', outcome: 'error', sampleCount: 51 });
    const names = namesOf(tables, exemplar);
    expect(names.slice(0, 3)).toEqual(['main;f0', 'main;f1', 'main;f2']);
    expect([...exemplar.samples.startMicros]).toEqual([...exemplar.samples.startMicros].sort((a, b) => a - b));
    expect(names.filter((name) => name === 'main;f7')).toHaveLength(20);
    expect(names.at(-1)).toBe('main;f1');
    expect(Math.abs(exemplar.cpuMicros - sum(exemplar.samples.cpuMicros))).toBeLessThan(51);
    expect(long.copies).toBeUndefined();
  });

  it('hold the samples of a period that had ended, but was no batch yet, when they did', () => {
    const periods = new Periods();
    const long = periods.begin('job');
    while (performance.now() < long.startedAtMs + 1);
    const fast = periods.begin('job');
    const ended = periods.end(
      [
        { scope: long, fn: 1 },
        { scope: fast, fn: 2 },
      ],
      true,
      () => {
        periods.tracker.end(long, 'ok');
        periods.tracker.end(fast, 'ok');
      },
    );
    expect(ended.exemplars).toEqual([]);
    const { exemplars, tables } = periods.end([]);
    expect(exemplars.map((exemplar) => namesOf(tables, exemplar))).toEqual([['main;f1']]);
    expect([long.copies, fast.copies]).toEqual([undefined, undefined]);
  });

  it('hold none where lines were sampled', () => {
    const periods = new Periods();
    const job = periods.begin('job');
    periods.end([{ scope: job, fn: 1 }]);
    periods.tracker.end(job, 'ok');
    expect(periods.end([], false).exemplars).toMatchObject([
      { sampleCount: 0, cpuMicros: 0, samples: { stack: new Int32Array() } },
    ]);
  });

  it('keep at most so many samples, spread over the whole time', () => {
    const periods = new Periods();
    const long = periods.begin('long');
    for (let period = 0; period < 5; period += 1) periods.end(times(900, () => ({ scope: long, fn: period })));
    periods.tracker.end(long, 'ok');
    const { exemplars, tables } = periods.end([]);
    const [exemplar] = exemplars as [Exemplar];
    expect(exemplar.sampleCount).toBe(4_500);
    expect(exemplar.samples.stack.length).toBeLessThanOrEqual(MAX_EXEMPLAR_SAMPLES);
    const names = namesOf(tables, exemplar);
    for (let period = 0; period < 5; period += 1) {
      const share = names.filter((name) => name === `main;f${period}`).length / names.length;
      expect(share).toBeGreaterThan(0.15);
      expect(share).toBeLessThan(0.25);
    }
  });

  it('keep samples of the longest-running only, and not too many together', () => {
    const periods = new Periods();
    const running = times(MAX_EXEMPLARS + 6, (at) => periods.begin(`job ${at}`));
    periods.end(running.toReversed().flatMap((scope) => times(200, (fn) => ({ scope, fn }))));
    expect(running.map(({ copies }) => copies !== undefined)).toEqual(running.map((_, at) => at < MAX_EXEMPLARS));
    const kept = sum(running.map(({ copies }) => copies?.rows.length ?? 0));
    expect(kept).toBeLessThanOrEqual(MAX_CARRIED_SAMPLES);
    expect(kept).toBeGreaterThan(MAX_CARRIED_SAMPLES / 2.1);
    for (const one of running) periods.tracker.end(one, 'ok');
    const { exemplars } = periods.end([]);
    expect(exemplars).toHaveLength(MAX_EXEMPLARS);
    expect(Math.max(...exemplars.map(({ sampleCount }) => sampleCount))).toBe(200);
  });

  it('are the slowest of each name, and of too many names the slowest of all', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(90), fc.nat(1_000)), { maxLength: 300 }), (ended) => {
        const { tracker } = new Periods();
        const { slowest } = tracker.period;
        const slowestOf = new Map<string, number>();
        for (const [name, micros] of ended) {
          slowest.offer(`n${name}`, tracker.begin('custom', `n${name}`, []), micros);
          slowestOf.set(`n${name}`, Math.max(micros, slowestOf.get(`n${name}`) ?? -1));
        }
        const expected = [...slowestOf.values()].sort((a, b) => b - a).slice(0, MAX_EXEMPLARS);
        const kept = slowest.all.map(({ durationMicros }) => durationMicros).sort((a, b) => b - a);
        expect(kept).toEqual(expected);
      }),
    );
  });

  it('tell names and labels before they are folded, and context that nothing else carries', () => {
    const periods = new Periods();
    for (let at = 0; at < 400; at += 1) {
      const one = periods.tracker.begin('custom', 'job', [['order', `${at}`]]);
      one.addContext([['customer', `c${at}`]]);
      periods.tracker.end(one, 'ok');
    }
    const { period } = periods.tracker;
    const { exemplars } = periods.end([]);
    const [{ labelSet, context }] = exemplars as [Exemplar];
    expect(period.labelSets.labelSets[labelSet]!.some(([label]) => label === 'customer')).toBe(false);
    expect(labelValue(context, 'customer')).toBe(`c${labelValue(context, 'order')}`);
    expect(labelValue(context, 'transaction')).toBe('job');
    expect(periods.end([]).exemplars).toEqual([]);
  });

  it('cut off steps that had not ended with their transaction, and what is waited for comes in order', () => {
    const periods = new Periods();
    const job = periods.begin('job');
    periods.tracker.wiring.run(job, () => {
      const [outer, late] = [periods.tracker.beginSpan('outer', [])!, periods.tracker.beginSpan('late', [['n', '1']])!];
      outer.end('timeout');
      const nowMs = performance.now();
      periods.tracker.addWait({ operation: 1, scope: late, startMs: nowMs, endMs: nowMs + 2, stack: undefined });
      periods.tracker.addWait({ operation: 1, scope: job, startMs: job.startedAtMs, endMs: nowMs + 3, stack: undefined });
    });
    periods.tracker.end(job, 'ok');
    const { exemplars, tables } = periods.end([]);
    const [{ spans, waits, durationMicros }] = exemplars as [Exemplar];
    expect(spans).toMatchObject({ name: ['outer', 'late'], outcome: ['timeout', 'aborted'], inputs: [[], [['n', '1']]] });
    expect(spans.startMicros[1]! + spans.durationMicros[1]!).toBe(durationMicros);
    expect([...waits.span]).toEqual([NO_PARENT, 1]);
    expect(waits.startMicros[0]).toBe(0);
    expect(waits.durationMicros[1]).toBe(2_000);
    expect(tables.framesRootFirst([...waits.stack]).map((frames) => frames.at(-1)!.name)).toEqual(['leaf', 'leaf']);
  });

  it('show who was seen to ask for an operation where a wait was not captured, unless there is a choice', () => {
    const callerNamed = (name: string): SeenStack => ({ framesRootFirst: [{ name, scriptName: '/a.js', line: 1 }], weight: 1 });
    const periods = new Periods();
    const stacksOf = (captured?: SeenStack): string[] => {
      const job = periods.begin('job');
      periods.tracker.wiring.run(job, () => {
        const scope = periods.tracker.beginSpan('pay', []);
        periods.tracker.addWait({ operation: 1, scope, startMs: 0, endMs: 1, stack: captured });
        periods.tracker.addWait({ operation: 1, scope: job, startMs: 1, endMs: 2, stack: undefined });
      });
      periods.tracker.end(job, 'ok');
      const { exemplars, tables } = periods.end([]);
      return tables.framesRootFirst([...exemplars[0]!.waits.stack]).map((frames) => frames.map(({ name }) => name).join(';'));
    };
    expect(stacksOf()).toEqual(['leaf', 'leaf']);
    periods.callers.learn(1, 'job', 'pay', [callerNamed('charge')]);
    expect(stacksOf()).toEqual(['charge;leaf', 'leaf']);
    expect(stacksOf(callerNamed('refund'))).toEqual(['refund;leaf', 'leaf']);
    periods.callers.learn(1, 'job', 'pay', [callerNamed('refund')]);
    expect(stacksOf()).toEqual(['leaf', 'leaf']);
  });
});
