import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Batch } from '@hearth/wire-format';
import { HOST_NODE, runHost } from './support/run-host.js';
import { flatSamples, nameOf, profileOf, type Sink } from './support/sink.js';
import { untilAllEnd } from './support/until-all-end.js';

const { newSink, newFolder } = untilAllEnd();

const seriesOf = (batch: Batch, name: string): number => batch.series.find((one) => one.name === name)?.value ?? 0;
const most = (sink: Sink, name: string): number => Math.max(...sink.stored.map((batch) => seriesOf(batch, name)));
const lostOf = (batch: Batch): [wrong: number, unlabelled: number] => [
  seriesOf(batch, 'agent_wrong_context_count'),
  seriesOf(batch, 'agent_no_context_count'),
];
const lost = ({ stored }: Sink): number[] => [0, 1].map((which) => stored.reduce((sum, batch) => sum + lostOf(batch)[which]!, 0));

/** For who reads why a test failed: the host's functions, under their transactions, in periods that count lost samples and in those before, of which they are. */
function sampledWhereLost({ stored }: Sink, program: string): string {
  const isCounting = (batch: Batch | undefined): boolean => batch !== undefined && lostOf(batch).some((count) => count > 0);
  return stored
    .filter((batch, at) => isCounting(batch) || isCounting(stored[at + 1]))
    .map((batch) => {
      const { functions, stacks, labelSets } = batch;
      const { sampleStack, sampleLabelSet } = profileOf(batch, 'cpu')!;
      const rows = [...sampleStack].map((stack, at) => {
        let row = stack;
        while (row !== -1 && !functions.scriptName[stacks.functionRow[row]!]!.endsWith(program)) row = stacks.parent[row]!;
        const where = row === -1 ? 'elsewhere' : `line ${functions.line[stacks.functionRow[row]!]}`;
        return `${where} under ${nameOf(labelSets[sampleLabelSet[at]!]!)}`;
      });
      return `period ${batch.sequence}: ${[...new Set(rows)].join(', ')}`;
    })
    .join('\n');
}

/** Samples of functions that are named after their transaction. @param transactionOf - By how the names begin */
function truth(batches: readonly Batch[], transactionOf: Readonly<Record<string, string>>) {
  const beginnings = new RegExp(`^(${Object.keys(transactionOf).join('|')})[A-Z]`);
  const found = { right: 0, wrong: 0, unlabelled: 0 };
  for (const { labels, functionsRootFirst, count } of batches.flatMap((batch) => flatSamples(batch, 'cpu'))) {
    const beginning = functionsRootFirst.findLast((name) => beginnings.test(name))?.match(beginnings)?.[1];
    if (beginning === undefined) continue;
    if (labels.length === 0) found.unlabelled += count;
    else if (nameOf(labels) === transactionOf[beginning]) found.right += count;
    else found.wrong += count;
  }
  return found;
}

/** Of `routes-lose-context.mjs`, since its handlers are watched. */
function truthOfRoutes(batches: readonly Batch[]) {
  const known = batches.filter((batch) => seriesOf(batch, 'agent_watched_handlers_count') === 2);
  return truth(known, { alpha: 'GET /alpha/:id', beta: 'GET /deep/beta' });
}

const HOSTS = fileURLToPath(new URL('hosts/', import.meta.url));

/** The same program as bundlers write it, but with its names. */
function oneLine(): string {
  const source = readFileSync(path.join(HOSTS, 'loses-context.mjs'), 'utf8')
    .replace(/(^| )(\/\/|\/\*\*) .*$/gm, '')
    .replace(/\n\s*/g, ' ')
    .replace(/from '(\..+?)'/g, (_all, file: string) => `from '${pathToFileURL(path.join(HOSTS, file)).href}'`)
    .replace("from 'express'", `from '${pathToFileURL(createRequire(HOSTS).resolve('express')).href}'`);
  const file = path.join(newFolder(), 'loses-context.mjs');
  writeFileSync(file, source);
  return file;
}

describe('samples under lost context', () => {
  it.each([
    ['each of them, and the worst function is said with what to do', () => 'loses-context.mjs'],
    ['also where the program is one line', oneLine],
  ])('are counted, %s', async (_what, program) => {
    const sink = await newSink();
    const { errors } = await runHost(program(), sink.url);
    expect(errors).not.toContain('AGENT_FAULT');
    const known = sink.stored.filter((batch) => seriesOf(batch, 'agent_watched_handlers_count') === 8);
    const { right, wrong, unlabelled } = truth(known, {
      alpha: 'alpha',
      beta: 'beta',
      gamma: 'GET /gamma/:id',
      omega: 'GET /omega',
      epsilon: 'GET /epsilon',
      zeta: 'GET /zeta',
      kappa: 'Kappa.kappaHandler',
      sigma: 'sigma send',
    });
    expect(Math.min(right, wrong, unlabelled)).toBeGreaterThan(20);
    expect(lost(sink)).toEqual([wrong, unlabelled]);
    const said = errors.split('\n').filter((line) => line.includes('AGENT_CONTEXT_LOST'));
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(
      /^\[hearth\] (\w+) \(file:\S+loses-context\.mjs:\d+:\d+\), (written in )?the handler of "[^"]+", ran (under "[^"]+"|in no transaction) in \d+ samples .+ bind\(\)/,
    );
  });

  it('are not seen where there are none, whoever runs whose code', async () => {
    const sink = await newSink();
    const { output, errors } = await runHost('shares-code.mjs', sink.url);
    const { round, turns } = JSON.parse(output) as { round: number; turns: number };
    expect(round).toBeGreaterThan(256); // more than are watched
    expect(turns).toBeGreaterThan(8); // more transactions around than are followed
    expect(errors).not.toMatch(/AGENT_CONTEXT_LOST|AGENT_FAULT/);
    expect(most(sink, 'agent_watched_handlers_count')).toBeGreaterThan(40);
    expect(lost(sink), sampledWhereLost(sink, 'shares-code.mjs')).toEqual([0, 0]);
  });

  it.each(['express', 'express-4', 'fastify', 'fastify-4', 'koa', 'hono'])('are counted in routes of %s', async (framework) => {
    const sink = await newSink();
    const { errors, code } = await runHost('routes-lose-context.mjs', sink.url, { args: [framework] });
    expect(code, errors).toBe(0);
    const { wrong, unlabelled } = truthOfRoutes(sink.stored);
    expect(wrong).toBeGreaterThan(20);
    expect(lost(sink)).toEqual([wrong, unlabelled]);
    expect(errors).toMatch(/"GET \/(alpha\/:id|deep\/beta)", ran under "GET \/(deep\/beta|alpha\/:id)"/);
  });

  it('are counted too before lines are recorded, which say nothing of it, to the end of the process', async () => {
    const sink = await newSink();
    sink.answer = (response, batches) => void setTimeout(() => sink.store(response, batches), 400); // into the next period
    sink.onStored = () => {
      if (truthOfRoutes(sink.stored).wrong > 0) sink.offered = [{ id: '1', kind: 'record-lines', durationMs: 60_000 }];
    };
    const { errors } = await runHost('routes-lose-context.mjs', sink.url, { args: ['express'] });
    expect(errors).toContain('AGENT_RECORDS_LINES');
    expect(sink.stored.at(-1)!.profiles[0]!.lines).toBe('call-site');
    const before = sink.stored.filter(({ profiles: [first] }) => first!.lines === 'definition');
    const { wrong, unlabelled } = truthOfRoutes(before);
    expect(truthOfRoutes(before.slice(-1)).wrong).toBeGreaterThan(0);
    expect(lost(sink)).toEqual([wrong, unlabelled]);
  });
});

// These hosts wait more than they work.
describe.concurrent('whatever its host is, samples under lost context', () => {
  it('are looked for beside a debugger and a coverage of the host, which see nothing else than without', async () => {
    const sink = await newSink();
    const { output, errors } = await runHost('debugs-itself.mjs', sink.url);
    expect(JSON.parse(output)).toEqual({ held: 7, isCounted: true, isGlobalAsBefore: true, pauses: 0 });
    expect(errors).not.toMatch(/AGENT_FAULT|Error/);
    expect(most(sink, 'agent_watched_handlers_count')).toBe(1);
  });

  const hasNewPermission = spawnSync(HOST_NODE, ['--permission', '--version']).status === 0; // from 23.5 on
  const permission = [hasNewPermission ? '--permission' : '--experimental-permission', '--allow-fs-read=*', '--allow-addons'];
  const knowsNet = spawnSync(HOST_NODE, [...permission, '--allow-net', '--version']).status === 0;
  it.each([
    ['are looked for', 1, 'node --frozen-intrinsics', ['--frozen-intrinsics'], ''],
    ['are looked for', 1, 'node --disallow-code-generation-from-strings', ['--disallow-code-generation-from-strings'], ''],
    ['are not looked for', 0, 'a global object that cannot be added to', [], 'frozen'],
    [
      'are not looked for',
      0,
      'the permission model, which forbids it',
      [...permission, ...(knowsNet ? ['--allow-net'] : [])],
      '',
    ],
  ])('%s (%i handler), nor is there a fault: %s', async (_whether, watched, _what, nodeOptions, argument) => {
    const sink = await newSink();
    const { errors, code } = await runHost('runs-again.mjs', sink.url, { nodeOptions, args: [argument] });
    expect(code, errors).toBe(0);
    expect(errors).not.toContain('AGENT_FAULT');
    expect(sink.stored.length).toBeGreaterThan(1);
    expect(most(sink, 'agent_watched_handlers_count')).toBe(watched);
  });

  it('are not looked for where the inspector is open', async () => {
    const sink = await newSink();
    const { errors, code } = await runHost('debugs-itself.mjs', sink.url, { nodeOptions: ['--inspect=127.0.0.1:0'] });
    expect(code, errors).toBe(0);
    expect(errors).not.toContain('AGENT_FAULT');
    expect(sink.stored.flatMap((batch) => flatSamples(batch, 'cpu')).length).toBeGreaterThan(0);
    expect(sink.stored.flatMap(({ series }) => series.filter(({ name }) => name === 'agent_watched_handlers_count'))).toEqual([]);
  });
});
