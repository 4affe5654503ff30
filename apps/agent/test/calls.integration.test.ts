import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHost } from './support/run-host.js';
import { Sink, flatSamples, functionRows, profileOf } from './support/sink.js';

let sink: Sink;
const command = { id: '1', kind: 'count-calls', durationMs: 1_000, functions: [], files: ['hosts/calls'] };
beforeEach(async () => {
  sink = await new Sink().open();
  sink.offered = [command];
});
afterEach(() => sink.close());

/** Calls of each function; of those below another frame, under both. */
function calls(): Record<string, number> {
  const samples = sink.stored.flatMap((batch) => flatSamples(batch, 'calls'));
  return Object.fromEntries(samples.map(({ functionsRootFirst, value }) => [functionsRootFirst.join(' > '), value]));
}

const ENTRIES = '(async functions and generators: calls and resumptions)';

describe('calls', () => {
  it('are counted exactly while the server asks for it, also those that V8 had inlined, and no others', async () => {
    const { output, errors } = await runHost('calls.mjs', sink.url, { args: ['1700'] });
    expect({ output, errors }).toEqual({ output: 'true \n', errors: '' });
    expect(calls()).toMatchObject({
      inlined: 24_690,
      caller: 12_345,
      arrow: 12_345,
      helper: 12_345,
      helperCalls: 1,
      callAll: 1,
      Cart: 300,
      add: 300,
      '#round': 300,
      'get total': 300,
      [`${ENTRIES} > awaits`]: 20, // called and resumed
      [`${ENTRIES} > yields`]: 30,
    });
    expect(calls()).not.toHaveProperty('sometimes');
    expect(sink.stored.filter((batch) => profileOf(batch, 'calls') !== undefined)).toHaveLength(1);
    // Functions are the same as in profiles. The agent has one of that name, too, which a sample may meet.
    const rows = (type: 'cpu' | 'calls', name: string) =>
      new Set(sink.stored.flatMap((batch) => functionRows(batch, type, name)).filter((row) => row.includes('calls.mjs')));
    expect(rows('cpu', 'add').size).toBe(1);
    expect(rows('calls', 'add')).toEqual(rows('cpu', 'add'));
  });

  it('are those of the functions that are named', async () => {
    sink.offered = [{ ...command, files: [], functions: ['inlined', 'help*'] }];
    await runHost('calls.mjs', sink.url, { args: ['1700'] });
    const { helperCalls, ...exact } = calls();
    expect(exact).toEqual({ inlined: 24_690, helper: 12_345 });
    expect([1, 2]).toContain(helperCalls); // it loops for long: V8 of Node 26 counts it again when it goes on in faster code
  });

  it('are not counted where Node takes coverage, which stays whole, nor where the inspector is open', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'hearth-coverage-'));
    try {
      const covered = await runHost('calls.mjs', sink.url, { env: { NODE_V8_COVERAGE: folder }, args: ['100'] });
      expect(covered.output).toBe('true AGENT_NO_CALLS\n');
      const [file] = await readdir(folder);
      const { result } = JSON.parse(await readFile(path.join(folder, file!), 'utf8')) as CoverageFile;
      const host = result.find(({ url }) => url.endsWith('calls.mjs'))!;
      const ofCaller = host.functions.find(({ functionName }) => functionName === 'caller')!;
      expect(ofCaller.ranges[0]!.count).toBe(5 * 20_000 + 12_345 + 777);
    } finally {
      await rm(folder, { recursive: true });
    }
    const inspected = await runHost('calls.mjs', sink.url, { nodeOptions: ['--inspect=127.0.0.1:0'], args: ['100'] });
    expect(inspected.output).toBe('true AGENT_NO_CALLS\n');
    expect(calls()).toEqual({});
  });

  it('are counted no longer than the host can bear, and beside allocations', async () => {
    sink.offered = [{ ...command, durationMs: 30_000 }];
    const { output } = await runHost('calls.mjs', sink.url, { args: ['late'] });
    expect(output).toBe('true AGENT_CALLS_CUT\n');
    expect(calls()).toMatchObject({ caller: 12_345, arrow: 12_345 });
    expect(sink.stored.every((batch) => profileOf(batch, 'alloc_space') !== undefined)).toBe(true);
  });
});

interface CoverageFile {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly functionName: string; readonly ranges: readonly { readonly count: number }[] }[];
  }[];
}
