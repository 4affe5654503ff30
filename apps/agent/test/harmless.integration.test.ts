import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PRELOAD, REQUIRE_PRELOAD, runHost } from './support/run-host.js';
import { Sink, countsByName, flatSamples, nameOf } from './support/sink.js';
import { expectNoDifference } from './support/with-and-without.js';

let sink: Sink;
beforeEach(async () => {
  sink = await new Sink().open();
});
afterEach(() => sink.close());

/** Far more than any of these hosts needs on a busy machine, far less than one that is held open takes. */
const HELD_OPEN_SECONDS = 30;

const BREAKS = fileURLToPath(new URL('hosts/break-native.cjs', import.meta.url));

/** Nothing listens on port 9 of this machine. */
const NOBODY = 'http://127.0.0.1:9';

describe('a host that ends by itself', () => {
  for (const [how, nodeOptions] of [
    ['--import', PRELOAD],
    ['--require', REQUIRE_PRELOAD],
  ] as const) {
    it(`keeps its exit code, ends at once and is profiled (${how})`, async () => {
      const { code, signal, seconds } = await runHost('ends-by-itself.mjs', sink.url, { nodeOptions });
      expect({ code, signal }).toEqual({ code: 7, signal: null });
      expect(seconds).toBeLessThan(HELD_OPEN_SECONDS);
      expect(sink.stored).toHaveLength(1);
      const own = flatSamples(sink.stored[0]!, 'wall').filter(({ functionsRootFirst }) => functionsRootFirst.includes('ownWork'));
      expect(own.reduce((sum, { value }) => sum + value, 0)).toBeGreaterThan(50_000);
      expect(sink.requests[0]!.authorization).toBe('Bearer test-key');
    });
  }

  it('keeps its exit code with nobody listening', async () => {
    const { code, seconds } = await runHost('ends-by-itself.mjs', NOBODY, { nodeOptions: PRELOAD });
    expect(code).toBe(7);
    expect(seconds).toBeLessThan(HELD_OPEN_SECONDS);
  });

  it('ends within the second of the last flush when the server never answers', async () => {
    sink.answer = () => {};
    const { code, seconds } = await runHost('ends-by-itself.mjs', sink.url, { nodeOptions: PRELOAD });
    expect(code).toBe(7);
    expect(seconds).toBeLessThan(HELD_OPEN_SECONDS);
  });

  it('ends also where a period ends within that second', async () => {
    sink.answer = () => {};
    const { code, output, seconds } = await runHost('short-periods.mjs', sink.url, { args: ['0'] });
    expect({ code, output }).toEqual({ code: 0, output: 'done\n' });
    expect(seconds).toBeLessThan(HELD_OPEN_SECONDS);
  });

  it('ends as without the agent where its timers return numbers', async () => {
    const { code, output } = await runHost('short-periods.mjs', sink.url, { args: ['2500', 'numbers'] });
    expect({ code, output }).toEqual({ code: 0, output: 'done\n' });
    expect(sink.stored.length).toBeGreaterThan(2);
  });

  for (const [what, status, headers, body] of [
    ['429', 429, { 'retry-after': '3600' }, ''],
    ['503', 503, { 'retry-after': 'Fri, 31 Dec 2100 23:59:59 GMT' }, ''],
    ['401', 401, {}, '{"code":"KEY_UNKNOWN"}'],
    ['400', 400, {}, '{"code":"WIRE_MAGIC"}'],
    ['a page', 200, { 'content-type': 'text/html' }, '<html>log in</html>'],
    ['a redirect', 302, { location: 'http://127.0.0.1:9/' }, ''],
    ['a megabyte', 500, {}, 'x'.repeat(1_000_000)],
  ] as const) {
    it(`keeps its exit code when the server answers ${what}`, async () => {
      sink.answer = (response) => response.writeHead(status, headers).end(body);
      const { code, seconds, output } = await runHost('ends-by-itself.mjs', sink.url, { nodeOptions: PRELOAD });
      expect({ code, output }).toEqual({ code: 7, output: '' });
      expect(seconds).toBeLessThan(HELD_OPEN_SECONDS);
    });
  }

  it('keeps its exit code when the answer is no HTTP', async () => {
    sink.answer = (response) => response.socket!.end('garbage\r\n\r\n\0\x01');
    expect((await runHost('ends-by-itself.mjs', sink.url, { nodeOptions: PRELOAD })).code).toBe(7);
  });
});

describe('a host that fails', () => {
  for (const how of ['throws', 'rejects']) {
    it(`fails as it does without the agent (${how})`, async () => {
      const alone = await runHost('throws.mjs', sink.url, { args: [how] });
      const profiled = await runHost('throws.mjs', sink.url, { args: [how], nodeOptions: PRELOAD });
      expect(alone.code).toBe(1);
      expect(profiled.code).toBe(alone.code);
      expect(profiled.signal).toBe(alone.signal);
      for (const line of alone.errors.split('\n').filter((one) => one.includes('Error:')))
        expect(profiled.errors).toContain(line);
    });
  }

  it('keeps rejections handled and unhandled as they are', async () => {
    const { code, output } = await runHost('rejected-transaction.mjs', sink.url);
    expect(output.trim().split('\n')).toEqual([
      'caught handled',
      'caught handled step', // Node tells what is unhandled once nothing else is to be done
      'unhandled left alone',
      'unhandled left alone step',
    ]);
    expect(code).toBe(5);
    expect(countsByName(sink.stored)).toEqual({ 'handled error': 1, 'left alone error': 1, 'of a step ok': 1 });
  });

  it('gives the very object that has a `then` and is no promise, which nobody but the host awaits', async () => {
    const { output } = await expectNoDifference('thenables.mjs', sink.url);
    expect(output).toContain('sent where tenant=1 and id=2\n2\n');
    expect(countsByName(sink.stored)).toEqual({
      'users ok': 1,
      'chained ok': 1,
      'fails error': 1,
      'never awaited ok': 4,
      'frozen ok': 1,
      'watched ok': 1,
      'query ok': 1,
      '[["measure","kept"]] ok': 4,
      '[["measure","load"]] ok': 1,
    });
    const waits = sink.stored.flatMap((batch) => flatSamples(batch, 'wait'));
    const sleepers = waits.filter(({ functionsRootFirst }) => functionsRootFirst.at(-1) === 'timer setTimeout');
    expect(new Set(sleepers.map(({ labels }) => nameOf(labels)))).toEqual(new Set(['users', 'chained', 'fails']));
  });
});

describe('SIGTERM', () => {
  for (const [ending, expected] of [
    ['by default', { code: null, signal: 'SIGTERM', output: [] }],
    ['drains', { code: 0, signal: null, output: ['drained'] }],
    ['exits', { code: 3, signal: null, output: [] }],
  ] as const) {
    it(`ends the host as without the agent, and flushes first (${ending})`, async () => {
      const result = await runHost('express-server.mjs', sink.url, {
        nodeOptions: PRELOAD,
        args: [ending],
        onLine: (line, host) => {
          if (!line.startsWith('port ')) return;
          const url = `http://127.0.0.1:${line.slice(5)}`;
          void Promise.all([
            ...Array.from({ length: 20 }, (_, at) =>
              fetch(`${url}/orgs/acme/users/${at}`, { headers: { connection: 'close' } }).then((response) => response.text()),
            ),
            ...['/fails', '/orgs/7/fails'].map((path) =>
              fetch(url + path, { headers: { connection: 'close' } }).then((response) => response.text()),
            ),
          ]).then(() => setTimeout(() => host.kill('SIGTERM'), 100)); // 'close' of the last response comes a moment after its body
        },
      });
      expect({ code: result.code, signal: result.signal }).toEqual({ code: expected.code, signal: expected.signal });
      expect(result.output.trim().split('\n').slice(1)).toEqual(expected.output);
      expect(result.seconds).toBeLessThan(HELD_OPEN_SECONDS);
      expect(countsByName(sink.stored)).toEqual({
        'GET /orgs/:org/users/:id ok': 20,
        'GET /fails error': 1,
        'GET /orgs/:id/fails error': 1,
      });
    });
  }

  it('stays deadly beside a library that counts the listeners', async () => {
    const { signal } = await runHost('counts-listeners.mjs', sink.url, {
      nodeOptions: PRELOAD,
      onLine: (_line, host) => host.kill('SIGTERM'),
    });
    expect(signal).toBe('SIGTERM');
  });

  it('is deadly again when the host has stopped listening', async () => {
    const { signal } = await runHost('counts-listeners.mjs', sink.url, {
      nodeOptions: PRELOAD,
      args: ['gone again'],
      onLine: (_line, host) => host.kill('SIGTERM'),
    });
    expect(signal).toBe('SIGTERM');
    expect(sink.stored).toHaveLength(1);
  });

  it("is the host's once, then deadly, for a listener that comes once", async () => {
    const { signal, output } = await runHost('counts-listeners.mjs', sink.url, {
      nodeOptions: PRELOAD,
      args: ['once'],
      onLine: (_line, host) => host.kill('SIGTERM'), // at 'ready', and at 'first'
    });
    expect({ signal, output }).toEqual({ signal: 'SIGTERM', output: 'ready\nfirst\n' });
  });

  it('does not wait longer than a second for a server that never answers', async () => {
    sink.answer = () => {};
    let killedAt = 0;
    const { signal } = await runHost('express-server.mjs', sink.url, {
      nodeOptions: PRELOAD,
      onLine: (_line, host) => {
        killedAt = performance.now();
        host.kill('SIGTERM');
      },
    });
    expect(signal).toBe('SIGTERM');
    expect(performance.now() - killedAt).toBeLessThan(8_000);
  });

  it('counts a request that its client gave up as aborted', async () => {
    await runHost('express-server.mjs', sink.url, {
      nodeOptions: PRELOAD,
      onLine: (line, host) => {
        const given = new AbortController();
        fetch(`http://127.0.0.1:${line.slice(5)}/slow`, { signal: given.signal }).catch(() =>
          setTimeout(() => host.kill('SIGTERM'), 200),
        );
        setTimeout(() => given.abort(), 200);
      },
    });
    expect(countsByName(sink.stored)).toEqual({ 'GET /slow aborted': 1 });
  });
});

describe('a host that is not simple', () => {
  it('may start and stop the agent again and again', async () => {
    const { code, errors } = await runHost('restarts.mjs', sink.url);
    expect({ code, faults: errors.includes('AGENT_FAULT') }).toEqual({ code: 0, faults: false });
    expect(countsByName(sink.stored)).toEqual({ 'round ok': 100 });
    expect(new Set(sink.stored.map(({ process: sender }) => sender.id)).size).toBe(5);
  });

  it('may start it anew before it has stopped, and nothing of it is left', async () => {
    const { code, output, errors } = await runHost('restarts-at-once.mjs', sink.url);
    expect({ code, output }).toEqual({ code: 0, output: 'emit true, while it runs true, after it true\n' });
    expect(errors).not.toContain('AGENT_FAULT');
    expect(new Set(sink.stored.map(({ process: sender }) => sender.id)).size).toBe(6);
  });

  for (const broken of ['nothing', 'inner']) {
    it(`is not profiled while the agent is stopped (broken: ${broken})`, async () => {
      await runHost('works-between.mjs', sink.url, { nodeOptions: ['--require', BREAKS], env: { BREAK: broken } });
      expect(sink.stored).toHaveLength(2);
      for (const batch of sink.stored) {
        const samples = flatSamples(batch, 'wall');
        expect(samples.some(({ labels }) => nameOf(labels) === 'round')).toBe(true);
        expect(samples.filter(({ functionsRootFirst }) => functionsRootFirst.includes('betweenWork'))).toEqual([]);
      }
    });
  }

  it('may have worker threads, which are measured with it', async () => {
    const { code, output } = await runHost('with-worker.mjs', sink.url, { nodeOptions: PRELOAD });
    expect({ code, output }).toEqual({ code: 0, output: '0,0,0\n' });
    expect(sink.stored).toHaveLength(1);
    expect(sink.stored[0]!.labelSets).toContainEqual([['thread', 'worker']]);
  });

  for (const [broken, said, types] of [
    ['inner', 'AGENT_SAMPLER_FALLBACK', ['awaited', 'cpu', 'inuse_objects', 'inuse_space', 'wait', 'wall']],
    ['tree', 'AGENT_SAMPLER_FALLBACK', ['awaited', 'cpu', 'inuse_objects', 'inuse_space', 'wait', 'wall']],
    ['period', 'AGENT_NO_SAMPLER', ['awaited', 'inuse_objects', 'inuse_space', 'wait']],
    ['all', 'AGENT_NO_SAMPLER', ['awaited', 'wait']],
  ] as const) {
    it(`is still counted where the native sampler does not work (${broken})`, async () => {
      const { code, errors, output } = await runHost('concurrent.mjs', sink.url, {
        nodeOptions: ['--require', BREAKS],
        env: { BREAK: broken },
      });
      expect(code).toBe(0);
      expect(errors.split(`[${said}]`)).toHaveLength(2);
      const runs = Number(output.match(/runs (\d+)/)![1]);
      expect(Object.values(countsByName(sink.stored)).reduce((sum, count) => sum + count, 0)).toBe(runs);
      expect(sink.stored[0]!.profiles.map(({ typeId }) => typeId.split(':')[1]).sort()).toEqual(types);
      const work = sink.stored
        .flatMap((batch) => flatSamples(batch, 'wall'))
        .filter(({ functionsRootFirst }) => functionsRootFirst.some((name) => name.endsWith('Work')));
      expect(work.length > 0).toBe(said === 'AGENT_SAMPLER_FALLBACK');
      if (broken === 'period') expect(output).toContain('sampler stopped');
      expect(work.filter(({ functionsRootFirst, labels }) => !functionsRootFirst.includes(`${nameOf(labels)}Work`))).toEqual([]);
    });
  }
});

describe('a host with a profiler of its own', () => {
  for (const [broken, said] of [
    ['nothing', ['[AGENT_NO_SAMPLER]', '[AGENT_STARTED]', '[AGENT_CONNECTED]']],
    ['inner', ['[AGENT_SAMPLER_FALLBACK]', '[AGENT_NO_SAMPLER]', '[AGENT_STARTED]', '[AGENT_CONNECTED]']],
  ] as const) {
    it(`keeps it, and is counted without stacks (broken: ${broken})`, async () => {
      const { code, output, errors } = await runHost('foreign-profiler.mjs', sink.url, {
        nodeOptions: ['--require', BREAKS],
        env: { BREAK: broken },
      });
      expect({ code, output }).toEqual({ code: 0, output: 'the host saw samples\n' });
      expect(errors.match(/\[AGENT_[A-Z_]+\]/g)).toEqual(said);
      expect(countsByName(sink.stored)).toEqual({ 'host ok': 2 });
      for (const batch of sink.stored) {
        expect(batch.process.rateHz).toBe(0);
        expect(batch.profiles.map(({ typeId }) => typeId.split(':')[1]).sort()).toEqual([
          'awaited',
          'inuse_objects',
          'inuse_space',
          'wait',
        ]);
      }
    });
  }
});

describe('a host with many short requests', () => {
  it('keeps nothing of them among V8’s old objects until the next full collection', async () => {
    const { output, errors } = await runHost('leaves-no-old-garbage.mjs', sink.url, { nodeOptions: ['--expose-gc'] });
    const { oldGarbageBytes } = JSON.parse(output) as { oldGarbageBytes: number };
    // Of 12,000 requests; about 1 MB without the agent, and 4 to 16 where each leaves its objects.
    expect(oldGarbageBytes, errors).toBeLessThan(2.5e6);
  });
});

describe('a host whose settings are wrong', () => {
  for (const [what, env, said] of [
    ['no key', { HEARTH_KEY: '' }, 'AGENT_NO_KEY'],
    ['an address that is none', { HEARTH_URL: 'hearth:4040' }, 'AGENT_OPTION'],
    ['a key with a line break', { HEARTH_KEY: 'a\nb' }, 'AGENT_OPTION'],
  ] as const) {
    it(`goes on with one line (${what})`, async () => {
      const { code, errors } = await runHost('ends-by-itself.mjs', sink.url, { nodeOptions: PRELOAD, env });
      expect(code).toBe(7);
      expect(errors.trim().split('\n')).toHaveLength(1);
      expect(errors).toContain(`[${said}]`);
      expect(sink.requests).toHaveLength(0);
    });
  }

  it('does nothing and says nothing with HEARTH_ENABLED=off', async () => {
    const { code, errors } = await runHost('ends-by-itself.mjs', sink.url, {
      nodeOptions: PRELOAD,
      env: { HEARTH_ENABLED: 'off', HEARTH_KEY: '' },
    });
    expect({ code, errors }).toEqual({ code: 7, errors: '' });
    expect(sink.requests).toHaveLength(0);
  });
});
