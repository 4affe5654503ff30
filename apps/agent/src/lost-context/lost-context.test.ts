import { describe, expect, it } from 'vitest';
import { AgentLog } from '../safety/agent-log.js';
import { Transaction } from '../transactions/transaction.js';
import type { HandlerRange } from './handler-ranges.js';
import { LostContext, mayMatchTheSame } from './lost-context.js';
import { WatchedHandlers } from './watched-handlers.js';
import type { WrittenIn } from './written-in.js';

/** As two transactions of that name do. */
function noteTwice(watched: WatchedHandlers, name: string, handler: unknown, kind: HandlerRange['kind'] = 'custom'): void {
  for (let times = 0; times < 2; times += 1) watched.note(name, handler, kind);
}

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
  for (const [name, handler] of Object.entries(handlers))
    noteTwice(watched, name, handler, name.startsWith('GET') ? 'http' : 'custom');
  const startup = () => {
    noteTwice(watched, 'inside', () => [6]);
  };
  startup();
  noteTwice(watched, 'startup', startup);
  watched.locate();
  watched.periodEnded();
  return { watched, lost: new LostContext(watched, log), said };
}

type Watch = ReturnType<typeof watch>;
const inside = (range: HandlerRange | undefined, part: Partial<WrittenIn> = {}): WrittenIn => ({
  range: range!,
  isHandler: false,
  name: 'onRow',
  scriptName: '/srv/app.js',
  line: 7,
  column: 3,
  ...part,
});
const named = (name: string): Transaction => new Transaction(name.startsWith('GET') ? 'http' : 'custom', name);

type Sample = [writtenIn: string, under: Transaction | undefined, part?: Partial<WrittenIn>];

/** One period's samples, written in the handler of one, under another. @returns Wrong ones, and those without a transaction, that are counted at its end */
function period({ lost, watched }: Watch, isLast: boolean, ...samples: Sample[]) {
  for (const [name, under, part] of samples) lost.look(inside(watched.rangeOf(name), part), under, 1);
  const series = lost.endPeriod(isLast);
  return ['agent_wrong_context_count', 'agent_no_context_count'].map((name) => series.find((one) => one.name === name)!.value);
}

/** The same, and nothing is held for the period after it. */
const judged = (host: Watch, ...samples: Sample[]) => period(host, true, ...samples);

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

  it('takes a route’s handler for called under another route, or for a function of the same place, and not where there is none', () => {
    const host = watch();
    const called = { isHandler: true };
    expect(judged(host, ['GET /a', named('GET /b/:id'), called], ['GET /a', undefined, called])).toEqual([0, 1]);
    expect(judged(host, ['GET /a', named('GET /b/:id')], ['GET /a', named('job')])).toEqual([1, 0]);
  });

  it('judges what it has just located in the period after, when it has seen who else calls it', () => {
    const host = watch();
    const [fresh, calls] = [() => [7], () => [8]];
    noteTwice(host.watched, 'fresh', fresh);
    noteTwice(host.watched, 'calls', calls);
    host.watched.locate();
    const before = host.watched.count;
    const samples: Sample[] = [
      ['fresh', named('job')],
      ['fresh', undefined],
      ['job', named('fresh')],
      ['fresh', named('calls')],
    ];
    expect(judged(host, ...samples, ['fresh', named('calls'), { isHandler: true }])).toEqual([0, 0]);
    expect(host.watched.count).toBe(before + 2);
    expect(judged(host, ...samples)).toEqual([2, 1]);
  });

  it('counts a sample once, in the period after its own, or in the last', () => {
    const host = watch();
    expect(period(host, false, ['job', named('other')], ['job', named('other')], ['job', undefined])).toEqual([0, 0]);
    expect(period(host, false, ['job', named('GET /a')])).toEqual([2, 1]);
    expect(period(host, false)).toEqual([1, 0]);
    expect(period(host, false, ['job', undefined])).toEqual([0, 0]);
    expect(period(host, true, ['job', undefined])).toEqual([0, 2]);
    expect(period(host, true)).toEqual([0, 0]);
  });

  it('counts none of which the period after its own shows that it is right', () => {
    const host = watch();
    const called = { isHandler: true };
    expect(period(host, false, ['job', named('other')], ['job', undefined], ['startup', named('other')])).toEqual([0, 0]);
    const callsAndSetsUp: Sample[] = [
      ['job', named('other'), called],
      ['job', undefined, called],
      ['inside', named('inside')],
    ];
    expect(period(host, false, ...callsAndSetsUp)).toEqual([0, 0]);
    expect(period(host, true)).toEqual([0, 0]);
  });

  it('holds a thousand functions, counts the others at once, and none twice', () => {
    const host = watch();
    const samples = Array.from({ length: 1_003 }, (_, at): Sample => ['job', named('other'), { line: at + 1 }]);
    expect(period(host, false, ...samples, ...samples)).toEqual([6, 0]);
    expect(period(host, false)).toEqual([2_000, 0]);
  });

  it('tells functions apart whose scripts have the same name', () => {
    const host = watch();
    const held: HandlerRange = host.watched.rangeOf('job')!;
    const other: HandlerRange = { ...held, scriptId: held.scriptId + 1, owners: new Set(['other']) };
    expect(period(host, false, ['job', named('GET /a'), { range: other }], ['job', named('GET /a')])).toEqual([0, 0]);
    other.owners.add('GET /a');
    expect(period(host, false)).toEqual([1, 0]);
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
      'onRow (/srv/app.js:7:3), written in the handler of "job", ran under "GET /a" in 4 samples of a period',
    );
    expect(host.said[0]).toContain('AGENT_CONTEXT_LOST');
  });

  it('says how many samples ran under the one transaction that it names', () => {
    const host = watch();
    const under = (name: string | undefined, times: number): void => {
      for (let at = 0; at < times; at += 1)
        host.lost.look(inside(host.watched.rangeOf('job')), name === undefined ? undefined : named(name), 1);
    };
    under('GET /a', 1);
    under('other', 5);
    under(undefined, 4);
    host.lost.endPeriod(true);
    expect(host.said).toHaveLength(1);
    expect(host.said[0]).toContain('ran under "other" in 5 samples of a period');
  });
});

describe('WatchedHandlers', () => {
  it('takes the second function of a name, 16 after a period and 256 in all', () => {
    const watched = new WatchedHandlers();
    const counts = [];
    while (watched.wants('new') && counts.length < 100) {
      for (let at = 0; at < 300; at += 1) noteTwice(watched, `job ${at}`, () => at);
      watched.locate();
      watched.periodEnded();
      counts.push(watched.count);
    }
    expect(counts).toEqual(Array.from({ length: 16 }, (_, at) => 16 * (at + 1)));
    expect([watched.wants('job 0'), watched.hasUnlocated]).toEqual([false, false]);
    const range = watched.rangeOf('job 0')!;
    expect(range).toBe(watched.rangeOf('job 255'));
    expect(range.owners.size).toBe(256);
  });

  it('keeps none of the functions of names that come once, however many, and still takes those that come again', () => {
    const watched = new WatchedHandlers();
    for (let at = 0; at < 5_000; at += 1) {
      watched.note(`import ${at}`, () => at, 'custom');
      if (at % 500 === 0) watched.note('job', () => at, 'custom');
    }
    watched.locate();
    watched.periodEnded();
    expect([watched.count, watched.rangeOf('job') === undefined]).toEqual([1, false]);
  });

  it.each(['routes first', 'routes last', 'all at once'])(
    'knows that a handler around routes gives its functions away, %s',
    (order) => {
      const watched = new WatchedHandlers();
      const startup = () => {
        noteTwice(watched, 'GET /health', () => 1, 'http');
        if (order === 'routes first') watched.locate();
      };
      if (order !== 'routes last') startup();
      noteTwice(watched, 'startup', startup);
      if (order === 'routes last') {
        watched.locate();
        startup();
      }
      watched.locate();
      expect([watched.rangeOf('startup')?.givesAway, watched.rangeOf('GET /health')?.givesAway]).toEqual([true, false]);
    },
  );

  it('looks at no function that V8 would run the host’s code for, nor take long, and at those beside it', () => {
    const watched = new WatchedHandlers();
    let runs = 0;
    const seen = (): string => String((runs += 1));
    const error = Object.defineProperties(new Error('kept'), {
      stack: { get: seen },
      name: { get: seen },
      message: { get: seen },
    });
    const strange: Record<string, unknown> = {
      'its name is a getter': Object.defineProperty(() => 1, 'name', { get: seen }),
      'its name is a number': Object.defineProperty({ run: () => 1 }.run, 'name', { value: 7 }),
      'it carries an error': Object.assign(() => 1, { error }),
      'it carries much': Object.assign(() => 1, Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`at${at}`, {}]))),
      'it is a proxy': new Proxy(() => 1, { ownKeys: () => (seen(), []), get: seen }),
    };
    const plain: Record<string, unknown> = { job: () => 2, 'classify all': { classify() {} }.classify };
    for (const [name, handler] of Object.entries({ ...strange, ...plain })) noteTwice(watched, name, handler);
    watched.locate();
    watched.periodEnded();
    expect(Object.keys(strange).filter((name) => watched.rangeOf(name) !== undefined)).toEqual([]);
    expect([watched.count, runs]).toEqual([2, 0]);
  });

  it('knows a function of another name without looking it up', () => {
    const watched = new WatchedHandlers();
    const shared = () => 1;
    noteTwice(watched, 'one', shared);
    watched.locate();
    noteTwice(watched, 'two', shared);
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
