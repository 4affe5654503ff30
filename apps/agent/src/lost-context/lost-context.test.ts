import { describe, expect, it } from 'vitest';
import { AgentLog } from '../safety/agent-log.js';
import { Transaction } from '../transactions/transaction.js';
import { positionOf, type HandlerRange } from './handler-ranges.js';
import { LostContext, mayMatchTheSame } from './lost-context.js';
import { WatchedHandlers } from './watched-handlers.js';
import type { WrittenIn } from './written-in.js';

/** Handlers of one line each, `startup` around `inside`. */
function watch() {
  const said: string[] = [];
  const log = new AgentLog();
  log.useLogger({ info: (text) => said.push(text), warn: (text) => said.push(text) });
  const watched = new WatchedHandlers();
  const handlers = {
    'GET /a': () => [1],
    'GET /b/:id': () => [2],
    'GET /b/me': () => [3],
    job: () => [4],
    other: () => [5],
  };
  for (const [name, handler] of Object.entries(handlers)) watched.note(name, handler, name.startsWith('GET') ? 'http' : 'custom');
  const startup = () => {
    watched.note('inside', () => [6], 'custom');
  };
  startup();
  watched.note('startup', startup, 'custom');
  watched.locate();
  return { watched, lost: new LostContext(watched, log), said };
}

type Watch = ReturnType<typeof watch>;
const inside = (range: HandlerRange | undefined, part: Partial<WrittenIn> = {}): WrittenIn => ({
  range: range!,
  isHandler: false,
  callerRange: undefined,
  name: 'onRow',
  scriptName: '/srv/app.js',
  line: 7,
  column: 3,
  ...part,
});
const named = (name: string): Transaction => new Transaction(name.startsWith('GET') ? 'http' : 'custom', name);

/** Samples written in the handler of one, under another. @returns Wrong ones, and those without a transaction */
function judged(
  { lost, watched }: Watch,
  ...samples: [writtenIn: string, under: Transaction | undefined, part?: Partial<WrittenIn>][]
) {
  for (const [name, under, part] of samples) lost.look(inside(watched.rangeOf(name), part), under, 1);
  const series = lost.endPeriod();
  return ['agent_wrong_context_count', 'agent_no_context_count'].map((name) => series.find((one) => one.name === name)!.value);
}

describe('LostContext', () => {
  it('counts what is written in one handler and runs under another, or under none, and begins anew', () => {
    const host = watch();
    expect(judged(host, ['GET /a', named('job')], ['job', named('GET /a')], ['job', undefined], ['job', named('job')])).toEqual([
      2, 1,
    ]);
    expect(judged(host)).toEqual([0, 0]);
  });

  it('counts nothing under a transaction whose handler it does not know, or which has no name yet', () => {
    expect(judged(watch(), ['job', named('GET /nest')], ['job', new Transaction('http', undefined)])).toEqual([0, 0]);
  });

  it('lets a transaction run what the ones around it have, however far around, until there are too many', () => {
    const nested = (...names: string[]): Transaction =>
      names.map(named).reduce((around, one) => {
        one.beganIn(around);
        return one;
      });
    expect(judged(watch(), ['job', nested('job', 'other')], ['job', nested('job', 'GET /a', 'other')])).toEqual([0, 0]);
    expect(judged(watch(), ['GET /a', nested('job', 'other')])).toEqual([1, 0]);
    const names = Array.from({ length: 9 }, (_, at) => `around ${at}`);
    expect(judged(watch(), ['GET /a', nested(...names.slice(1), 'other')])).toEqual([1, 0]);
    expect(judged(watch(), ['GET /a', nested(...names, 'other')])).toEqual([0, 0]);
  });

  it('does not hold on to the turns of one that begins itself anew', () => {
    const first = named('poll');
    let last = first;
    for (let turn = 0; turn < 100; turn += 1) {
      const next = named('poll');
      next.beganIn(last);
      last = next;
    }
    expect([last.parent, last.knowsParents]).toEqual([undefined, true]);
  });

  it('lets a handler run what is written around it, and not what is written beside it', () => {
    const inner = named('inside');
    inner.beganIn(named('startup'));
    expect(judged(watch(), ['startup', inner], ['inside', inner], ['inside', named('startup')])).toEqual([0, 0]);
    expect(judged(watch(), ['inside', named('other')], ['startup', named('other')], ['inside', inner])).toEqual([2, 0]);
  });

  it('judges nothing that is written where other handlers are written which run outside, and judges those', () => {
    expect(judged(watch(), ['startup', undefined], ['startup', named('other')], ['inside', named('inside')])).toEqual([0, 0]);
    expect(judged(watch(), ['inside', undefined], ['inside', named('inside')])).toEqual([0, 1]);
  });

  it('lets requests be passed on between routes that match the same', () => {
    expect(judged(watch(), ['GET /b/:id', named('GET /b/me')], ['GET /b/:id', named('GET /a')])).toEqual([1, 0]);
  });

  it('takes a handler that is called as a function for that: what is written in it is the caller’s, too', () => {
    const host = watch();
    const called = { isHandler: true };
    expect(judged(host, ['job', named('other')], ['job', named('other'), called], ['job', undefined])).toEqual([0, 1]);
    expect(judged(host, ['job', undefined, called], ['job', undefined], ['job', named('GET /a')])).toEqual([1, 0]);
  });

  it('takes a route’s handler for called only where the other one calls it, not where what runs before it has lost the context', () => {
    const host = watch();
    expect(
      judged(host, ['GET /a', named('GET /b/:id'), { isHandler: true }], ['GET /a', undefined, { isHandler: true }]),
    ).toEqual([1, 1]);
    const callerRange = host.watched.rangeOf('GET /b/:id');
    expect(
      judged(host, ['GET /a', named('GET /b/:id'), { isHandler: true, callerRange }], ['GET /a', named('GET /b/:id')]),
    ).toEqual([0, 0]);
  });

  it('says the function with most samples once', () => {
    const host = watch();
    const rare = { name: 'rare', line: 1 };
    judged(host, ['job', named('GET /a'), rare], ['job', named('GET /a'), rare]);
    expect(host.said).toEqual([]);
    const often = ['job', named('GET /a')] as [string, Transaction];
    judged(
      host,
      ['job', named('GET /a'), rare],
      ['job', named('GET /a'), rare],
      ['job', named('GET /a'), rare],
      often,
      often,
      often,
      often,
    );
    judged(host, often, often, often);
    expect(host.said).toHaveLength(1);
    expect(host.said[0]).toContain(
      'onRow (/srv/app.js:7:3), written in the handler of "job", ran under "GET /a" in 4 samples of this period',
    );
    expect(host.said[0]).toContain('AGENT_CONTEXT_LOST');
  });
});

describe('WatchedHandlers', () => {
  it('takes the first function of a name, 16 after a period and 256 in all, and lets go of them', () => {
    const watched = new WatchedHandlers();
    for (let at = 0; at < 300; at += 1) watched.note(`job ${at}`, () => at, 'custom');
    watched.note('job 0', positionOf, 'custom');
    expect([watched.wants('job 0'), watched.wants('new')]).toEqual([false, false]);
    const counts = [watched.count];
    for (let period = 0; watched.hasUnlocated && period < 100; period += 1) {
      watched.locate();
      counts.push(watched.count);
    }
    expect(counts.slice(0, 3)).toEqual([0, 16, 32]);
    expect(counts.at(-1)).toBe(256);
    const range = watched.rangeOf('job 0')!;
    expect(range).toBe(watched.rangeOf('job 255'));
    expect(range.owners.size).toBe(256);
  });

  it('knows a function of another name without looking it up', () => {
    const watched = new WatchedHandlers();
    const shared = () => 1;
    watched.note('one', shared, 'custom');
    watched.locate();
    watched.note('two', shared, 'custom');
    expect(watched.hasUnlocated).toBe(false);
    expect([...watched.rangeOf('two')!.owners]).toEqual(['one', 'two']);
  });
});

describe('mayMatchTheSame', () => {
  it.each([
    ['/users/:id', '/users/me', true],
    ['/users/:id', '/users/:id/orders', false],
    ['/users/:id', '/orders/:id', false],
    ['/Users/me/', '/users/me', true],
    ['/files/*', '/users', true],
    ['/a{/:b}', '/c', true],
    ['/graphql query One', '/graphql query Two', true],
    ['/flights/:from-:to', '/flights/new', true],
  ])('%s and %s: %s', (a, b, expected) => {
    expect([mayMatchTheSame(a, b), mayMatchTheSame(b, a)]).toEqual([expected, expected]);
  });
});
