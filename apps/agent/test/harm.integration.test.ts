import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type DepsConfig, type InlineConfig } from 'tsdown';
import { describe, expect, it } from 'vitest';
import { AGENT_DIST, HOST_NODE, PRELOAD, runHost } from './support/run-host.js';
import { countsByName, flatSamples } from './support/sink.js';
import { untilAllEnd } from './support/until-all-end.js';
import { expectNoDifference, saidBy } from './support/with-and-without.js';

const HOSTS = fileURLToPath(new URL('hosts/', import.meta.url));
const PPROF = path.dirname(createRequire(import.meta.url).resolve('@datadog/pprof/package.json'));
const NOBODY = 'http://127.0.0.1:9';
/** Namespaces of its own are root's to make. */
const isRoot = process.getuid?.() === 0;
const HELD_OPEN_SECONDS = 30;
const STARTED = ['AGENT_STARTED', 'AGENT_CONNECTED'];
/** What surroundings.mjs serves. */
const SERVED = { 'GET (no route) ok': 20 };

const { newSink, newFolder: emptyFolder } = untilAllEnd();

/** @param packages - Of this repository, that a program in it finds. */
function newFolder(packages: Readonly<Record<string, string>> = {}): string {
  const folder = emptyFolder();
  for (const [name, target] of Object.entries(packages)) {
    const link = path.join(folder, 'node_modules', name);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(target, link);
  }
  return folder;
}

/** What a host can be told: the names in its table. */
function namesIn(host: string): string[] {
  return [...readFileSync(`${HOSTS}${host}`, 'utf8').matchAll(/^ {2}'?([^'\n]+?)'?: \(\) =>/gm)].map(([, name]) => name!);
}

describe.concurrent('a host that ends does so as without the agent', () => {
  /** After all others nothing can be sent any more. */
  const ENDS_BY_ITSELF = [
    'work in beforeExit',
    'exit code set in exit',
    'throws in exit',
    'rejects, handled late',
    'has a capture callback',
    'works in domains',
    'a SIGINT handler',
    'a closed standard output',
  ];

  it.each(namesIn('endings.cjs'))('%s', async (ending) => {
    const sink = await newSink();
    await expectNoDifference('endings.cjs', sink.url, { args: [ending] });
    expect(sink.stored).toHaveLength(ENDS_BY_ITSELF.includes(ending) ? 1 : 0);
  });

  it.each(['none', 'warn', 'strict'])('rejects with --unhandled-rejections=%s', async (mode) => {
    const nodeOptions = [`--unhandled-rejections=${mode}`];
    await expectNoDifference('endings.cjs', NOBODY, { args: ['rejects'], nodeOptions });
  });
});

describe.concurrent('whatever its surroundings, a host works as without the agent, and is counted', () => {
  it.each(namesIn('surroundings.mjs'))('%s', async (change) => {
    const sink = await newSink();
    expect(saidBy(await expectNoDifference('surroundings.mjs', sink.url, { args: [change] }))).toEqual(STARTED);
    expect(countsByName(sink.stored)).toEqual(SERVED);
    for (const { durationMs, startMs } of sink.stored) {
      expect(durationMs).toBeGreaterThan(0);
      expect(durationMs).toBeLessThan(60_000);
      expect(startMs).toBeGreaterThanOrEqual(0);
    }
  });

  it.each([
    ['--frozen-intrinsics'],
    ['--disallow-code-generation-from-strings'],
    ['--throw-deprecation'],
    ['--enable-source-maps'],
    ['--inspect=127.0.0.1:0'],
    ['--import', `${HOSTS}freezes-globals.mjs`],
  ])('node %s', async (...nodeOptions) => {
    const sink = await newSink();
    expect(saidBy(await expectNoDifference('surroundings.mjs', sink.url, { nodeOptions }))).toEqual(STARTED);
    expect(countsByName(sink.stored)).toEqual(SERVED);
  });

  it('globals frozen after the start', async () => {
    const sink = await newSink();
    const nodeOptions = [...PRELOAD, '--import', `${HOSTS}freezes-globals.mjs`];
    const { code, errors } = await runHost('surroundings.mjs', sink.url, { nodeOptions });
    expect({ code, faults: errors.includes('AGENT_FAULT') }).toEqual({ code: 0, faults: false });
    expect(countsByName(sink.stored)).toEqual(SERVED);
  });

  it('a loader of its own, registered before the agent or after it', async () => {
    const sink = await newSink();
    const nodeOptions = ['--import', `${HOSTS}registers-hooks.mjs`];
    const args = ['virtual:answer'];
    await expectNoDifference('loads-virtual.mjs', sink.url, { args, nodeOptions });
    const after = await runHost('loads-virtual.mjs', sink.url, { args, nodeOptions: [...PRELOAD, ...nodeOptions] });
    expect([after.code, after.output]).toEqual([0, 'the answer is 42\n']);
    expect(sink.stored).toHaveLength(2);
  });

  it('a heap of 64 MB, mostly full', async () => {
    const sink = await newSink();
    await expectNoDifference('leaks.mjs', sink.url, { args: ['almost'], nodeOptions: ['--max-old-space-size=64'] });
    expect(sink.stored).toHaveLength(1);
  });

  it('a heap of 64 MB, full: it dies as it does without the agent', async () => {
    const nodeOptions = ['--max-old-space-size=64'];
    const alone = await runHost('leaks.mjs', NOBODY, { nodeOptions });
    const profiled = await runHost('leaks.mjs', NOBODY, { nodeOptions: [...nodeOptions, ...PRELOAD] });
    expect([profiled.code, profiled.signal]).toEqual([alone.code, alone.signal]);
    expect(profiled.errors).toContain('JavaScript heap out of memory');
  });
});

describe.concurrent('where the agent may not, it says so in one line', () => {
  it('the permission model, which forbids add-ons', async () => {
    const sink = await newSink();
    const isOld = spawnSync(HOST_NODE, ['--permission', '--version']).status !== 0; // before 23.5
    const nodeOptions = [isOld ? '--experimental-permission' : '--permission', '--allow-fs-read=*'];
    const knowsNet = spawnSync(HOST_NODE, [...nodeOptions, '--allow-net', '--version']).status === 0; // from 25 on it forbids the network, too
    if (knowsNet) nodeOptions.push('--allow-net');
    const result = await expectNoDifference('surroundings.mjs', sink.url, { nodeOptions });
    expect(saidBy(result)).toEqual(['AGENT_NO_SAMPLER', ...STARTED]);
    expect(countsByName(sink.stored)).toEqual(SERVED);
  });

  it.each(['bun', 'deno'])('another runtime (%s)', async (runtime) => {
    const sink = await newSink();
    const nodeOptions = ['--require', `${HOSTS}other-runtime.cjs`];
    const result = await expectNoDifference('surroundings.mjs', sink.url, { nodeOptions, env: { OTHER_RUNTIME: runtime } });
    expect(saidBy(result)).toEqual(['AGENT_OTHER_RUNTIME']);
    expect(sink.requests).toEqual([]);
  });
});

describe.concurrent('other profilers keep what they measure', () => {
  it('node --cpu-prof', async () => {
    const [sink, folder] = [await newSink(), newFolder()];
    const result = await expectNoDifference('surroundings.mjs', sink.url, { nodeOptions: ['--cpu-prof'], cwd: folder });
    const [alone, beside] = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'utf8'));
    expect([alone, beside].map((text) => text!.includes('"burn"'))).toEqual([true, true]);
    expect(saidBy(result)).toEqual(STARTED);
    expect(countsByName(sink.stored)).toEqual(SERVED);
  });

  it('node --heap-prof, which the agent leaves alone', async () => {
    const [sink, folder] = [await newSink(), newFolder()];
    const result = await expectNoDifference('surroundings.mjs', sink.url, { nodeOptions: ['--heap-prof'], cwd: folder });
    const profiles = readdirSync(folder).map((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as object);
    expect(profiles.map((profile) => 'head' in profile)).toEqual([true, true]);
    expect(saidBy(result)).toEqual(['AGENT_NO_HEAP_SAMPLER', ...STARTED]);
  });

  it('the inspector, as DevTools uses it', async () => {
    const sink = await newSink();
    const { output } = await expectNoDifference('inspected.mjs', sink.url);
    expect(output).toBe('saw its work: true\n');
    expect(sink.stored).toHaveLength(1);
  });

  it('@pyroscope/nodejs', async () => {
    const sink = await newSink();
    const { output } = await expectNoDifference('beside-pyroscope.mjs', sink.url, { args: [NOBODY] });
    expect(output).toBe('worked beside it\n');
    expect(sink.stored).toHaveLength(1);
  });
});

describe.concurrent('however it is installed', () => {
  it('two copies are one agent', async () => {
    const [sink, folder] = [await newSink(), newFolder({ '@datadog/pprof': PPROF })];
    cpSync(AGENT_DIST, path.join(folder, 'dist'), { recursive: true });
    const args = [path.join(folder, 'dist/index.mjs')];
    const result = await runHost('second-copy.mjs', sink.url, { args });
    expect([result.code, result.output]).toEqual([0, 'another copy true\n']);
    expect(saidBy(result)).toEqual(['AGENT_STARTED', 'AGENT_ALREADY_STARTED', 'AGENT_CONNECTED']);
    expect(countsByName(sink.stored)).toEqual({ 'first ok': 1, 'second ok': 1 });
  });

  for (const format of ['esm', 'cjs'] as const) {
    it(`in a bundle or beside it (rolldown, ${format})`, async () => {
      const sink = await newSink();
      const folder = newFolder({ '@datadog/pprof': PPROF, '@hearth/agent': path.dirname(AGENT_DIST) });
      cpSync(`${HOSTS}to-bundle.mjs`, path.join(folder, 'main.mjs'));
      writeFileSync(path.join(folder, 'package.json'), '{"name":"bundled","type":"module"}');
      for (const [outDir, deps] of [
        ['in', { alwaysBundle: [/^@hearth/] }],
        ['beside', { neverBundle: [/^@hearth/] }],
      ] satisfies [string, DepsConfig][]) {
        const entry = path.join(folder, 'main.mjs');
        const common: InlineConfig = { entry: [entry], format, dts: false, platform: 'node', config: false, logLevel: 'silent' };
        await build({ ...common, cwd: folder, outDir: path.join(folder, outDir), deps });
        const [main] = readdirSync(path.join(folder, outDir)).filter((name) => /^main\.c?m?js$/.test(name));
        const result = await runHost(path.join(folder, outDir, main!), sink.url);
        expect([result.code, result.output, saidBy(result)]).toEqual([0, 'bundled host\n', STARTED]);
      }
      expect(countsByName(sink.stored)).toEqual({ 'bundled ok': 40 });
      const seen = sink.stored.map((batch) =>
        flatSamples(batch, 'cpu').some((one) => one.functionsRootFirst.includes('bundledWork')),
      );
      expect(seen).toEqual([true, true]);
    });
  }

  it('in a bundle that was deployed without its dependency, it counts without stacks', async () => {
    const [sink, folder] = [await newSink(), newFolder()];
    cpSync(AGENT_DIST, path.join(folder, 'dist'), { recursive: true });
    const source = readFileSync(`${HOSTS}to-bundle.mjs`, 'utf8').replace('@hearth/agent', './dist/index.mjs');
    writeFileSync(path.join(folder, 'main.mjs'), source);
    const result = await runHost(path.join(folder, 'main.mjs'), sink.url);
    expect([result.code, result.output, saidBy(result)]).toEqual([0, 'bundled host\n', ['AGENT_NO_SAMPLER', ...STARTED]]);
    expect(countsByName(sink.stored)).toEqual({ 'bundled ok': 20 });
  });

  it.each(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64'])('there are binaries for %s', (platform) => {
    const files = readdirSync(path.join(PPROF, 'prebuilds', platform));
    for (const abi of [115, 127, 137]) {
      expect(files).toContain(`dd_pprof.node.abi${abi}.node`); // Node 20, 22, 24
      if (platform.startsWith('linux')) expect(files).toContain(`dd_pprof.musl.node.abi${abi}.node`); // Alpine
    }
  });
});

describe.concurrent('a machine that gives nothing', () => {
  it.runIf(isRoot).each([
    ['an address', 'http://192.0.2.1:4040'],
    ['a name', 'http://hearth.example:4040'],
  ])('no network (%s)', async (_what, url) => {
    const { seconds, output } = await expectNoDifference('surroundings.mjs', url, { under: inOwnNetwork('true') });
    expect(output).toContain('/19');
    expect(seconds).toBeLessThan(HELD_OPEN_SECONDS);
  });

  it.runIf(isRoot)('names that are looked up for ever', async () => {
    const folder = newFolder();
    writeFileSync(path.join(folder, 'resolv.conf'), 'nameserver 192.0.2.1\noptions timeout:1 attempts:1\n');
    const setUp = `ip route add 192.0.2.1 dev lo && mount --bind ${folder}/resolv.conf /etc/resolv.conf`;
    const { seconds, output } = await expectNoDifference('surroundings.mjs', 'http://hearth.example:4040', {
      under: inOwnNetwork(setUp),
    });
    expect(output).toContain('/19');
    expect(seconds).toBeLessThan(HELD_OPEN_SECONDS);
  });

  it.runIf(isRoot)('a read-only disk, its folder and its temporary one included, and a spool that cannot be there', async () => {
    const sink = await newSink();
    const under = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs -o ro tmpfs /mnt && cd /mnt && exec "$@"', 'sh'];
    const env = { TMPDIR: '/mnt', HEARTH_SPOOL_DIR: '/mnt/spool' };
    const result = await expectNoDifference('surroundings.mjs', sink.url, { under, env });
    expect(saidBy(result).sort()).toEqual(['AGENT_CONNECTED', 'AGENT_SPOOL_UNUSABLE', 'AGENT_STARTED']);
    expect(countsByName(sink.stored)).toEqual(SERVED);
  });

  it('a folder that was deleted under it', async () => {
    const sink = await newSink();
    const under = ['sh', '-c', 'folder=$(mktemp -d) && cd $folder && rmdir $folder && exec "$@"', 'sh'];
    const { output } = await expectNoDifference('endings.cjs', sink.url, { args: ['work in beforeExit'], under });
    expect(output).toContain('more work');
  });

  /** A network that has a loopback and nothing else. */
  function inOwnNetwork(setUp: string): string[] {
    return ['unshare', '--net', '--mount', 'sh', '-c', `ip link set lo up && ${setUp} && exec "$@"`, 'sh'];
  }
});

it('leaves nothing behind after many starts and stops', async () => {
  const sink = await newSink();
  const { code, output } = await runHost('many-restarts.mjs', sink.url, { args: ['30'], env: { HEARTH_REVISION: 'r1' } });
  expect([code, output]).toEqual([0, 'listeners true, emit true, open nothing\n']);
  expect(countsByName(sink.stored)).toEqual({ 'round ok': 30 });
});
