import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readProfiles } from '@hearth/profile-formats';
import { labelValue, type LabelSet, type Profile, functionsRootFirst } from '@hearth/profile-model';
import ts from 'typescript';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AGENT_DIST, runHost } from './support/run-host.js';
import { Sink, countsByName, flatSamples } from './support/sink.js';

/** The published client and ours: the same programs run on both. */
const THEIRS = path.dirname(fileURLToPath(import.meta.resolve('@pyroscope/nodejs')));
const ORIGINAL = [pathToFileURL(`${THEIRS}/index.js`).href, pathToFileURL(`${THEIRS}/../cjs/index.js`).href] as const;
const OURS = [`${AGENT_DIST}pyroscope.mjs`, `${AGENT_DIST}pyroscope.cjs`].map((file) => pathToFileURL(file).href);

let sink: Sink;
beforeEach(async () => {
  sink = await new Sink().open();
});
afterEach(() => sink.close());

/** Takes what the published client sends to `/ingest`. */
class IngestSink {
  readonly profiles: Profile[] = [];
  readonly #server: Server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      this.profiles.push(...readPprof(Buffer.concat(chunks)));
      response.end('{}');
    })();
  });

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function readPprof(bytes: Uint8Array): Profile[] {
  return readProfiles(gunzipSync(bytes)).profiles;
}

interface Counted {
  readonly functionsRootFirst: readonly string[];
  readonly labels: LabelSet;
  readonly count: number;
}

function rowsOf(profile: Profile): Counted[] {
  return [...profile.sampleStack].map((stack, at) => ({
    functionsRootFirst: functionsRootFirst(profile.stacks, stack).map((row) => profile.functions.name[row]!),
    labels: profile.labelSets[profile.sampleLabelSet[at]!]!,
    count: profile.sampleCount[at]!,
  }));
}

/** Samples of `alphaWork` and `betaWork`: all, and those under another label than theirs or none. */
function attribution(samples: readonly Counted[]): { checked: number; wrong: number } {
  const sum = (rows: readonly Counted[]): number => rows.reduce((total, { count }) => total + count, 0);
  const work = samples.filter((sample) => kindOf(sample) !== undefined);
  return { checked: sum(work), wrong: sum(work.filter((sample) => labelValue(sample.labels, 'kind') !== kindOf(sample))) };
}

function kindOf({ functionsRootFirst: names }: Counted): string | undefined {
  return names.map((name) => /(alpha|beta)Work/.exec(name)?.[1]).find((kind) => kind !== undefined);
}

describe('@hearth/agent/pyroscope', () => {
  it('is for a program what the published client is, and its labels are right where those are wrong', async () => {
    const ingest = new IngestSink();
    const original = await runHost('pyroscope-user.mjs', sink.url, {
      args: ORIGINAL,
      env: { PYROSCOPE_SERVER_ADDRESS: await ingest.open() },
    });
    ingest.close();
    // Nothing of Hearth's own in the environment: the client's variables are enough.
    const ours = await runHost('pyroscope-user.mjs', '', {
      args: OURS,
      env: {
        PYROSCOPE_SERVER_ADDRESS: `${sink.url}/pyroscope`,
        PYROSCOPE_AUTH_TOKEN: 'of-pyroscope',
        HEARTH_SERVICE: '',
        HEARTH_KEY: '',
      },
    });
    expect([original.code, ours.code], original.errors + ours.errors).toEqual([0, 0]);
    const [theirs, mine] = [JSON.parse(original.output), JSON.parse(ours.output)] as Record<string, object>[];
    expect(mine!['seen']).toEqual(theirs!['seen']);
    expect(mine!['results']).toEqual([3, 'later', 'of the program', {}]);
    expect(theirs!['results']).toEqual([null, null, 'of the program', { a: 3 }]); // nothing returned, and labels that stay
    for (const shape of ['named', 'byDefault', 'required', 'requiredDefault'])
      expect(mine![shape]).toMatchObject(theirs![shape]!);
    expect(Object.keys(theirs!['byDefault']!)).toHaveLength(18);

    const cpuOfTheirs = ingest.profiles.filter(({ type }) => type.sampleType === 'cpu');
    const [labelled, there] = [
      attribution(sink.stored.flatMap((batch) => flatSamples(batch, 'cpu'))),
      attribution(cpuOfTheirs.flatMap(rowsOf)),
    ];
    expect(labelled.checked).toBeGreaterThan(50);
    expect(labelled.wrong).toBe(0);
    expect(there.checked).toBeGreaterThan(50);
    expect(there.wrong / there.checked).toBeGreaterThan(0.3);
    expect(sink.requests[0]!.authorization).toBe('Bearer of-pyroscope');
    expect(sink.stored[0]!.process).toMatchObject({
      service: 'pyroscope-user',
      revision: 'r7',
      labels: [
        ['region', 'eu'],
        ['revision', 'r7'],
      ],
    });
    expect(countsByName(sink.stored)).toEqual({}); // labels are no transactions
    const heap = sink.stored.flatMap(({ profiles }) => profiles).filter(({ typeId }) => typeId.startsWith('memory:'));
    expect(heap.length).toBeGreaterThan(0);
  });

  it.each([['started'], ['only configured']])('answers scrapers with pprof, when %s', async (state) => {
    const pulled = async (address: string): Promise<Record<string, { status: number; body: string }> & { second?: number[] }> => {
      const { output, errors, code } = await runHost('pyroscope-pull.mjs', sink.url, {
        args: [address, state],
        env: { PYROSCOPE_SERVER_ADDRESS: sink.url },
      });
      expect(code, errors).toBe(0);
      return JSON.parse(output);
    };
    const ours = await pulled(OURS[0]!);
    const all = state === 'started' ? [ours, await pulled(ORIGINAL[0])] : [ours];
    for (const profiles of all) {
      expect(Buffer.from(profiles['express other']!.body, 'base64').toString()).toBe('other');
      for (const name of ['express wall', 'fastify wall']) {
        expect(profiles[name]!.status).toBe(200);
        const read = readPprof(Buffer.from(profiles[name]!.body, 'base64'));
        expect(read.map(({ type }) => type.sampleType).sort()).toEqual(['cpu', 'sample', 'wall']);
        const rows = read.flatMap(rowsOf);
        expect(rows.some(({ functionsRootFirst: names }) => names.includes('burnInPull'))).toBe(true);
      }
    }
    const heap = readPprof(Buffer.from(ours['express heap']!.body, 'base64'));
    expect(heap.map(({ type }) => type.sampleType).sort()).toEqual(['inuse_objects', 'inuse_space']);
    if (state === 'started') {
      // The original answers 500 here: it starts a second heap profiler.
      expect(heap.flatMap(rowsOf).some(({ functionsRootFirst: names }) => names.includes('allocateMuch'))).toBe(true);
    }
    expect(ours.second!.at(-1)).toBe(503);
    const labelled = readPprof(Buffer.from(ours['express wall']!.body, 'base64')).flatMap(rowsOf);
    expect(
      labelled
        .filter(({ functionsRootFirst: names }) => names.includes('burnInPull'))
        .every(({ labels }) => labelValue(labels, 'job') === 'pulled'),
    ).toBe(true);
  });

  it('compiles what compiles with the types of the published client', () => {
    const folder = mkdtempSync(path.join(AGENT_DIST, '../.try-types-'));
    const program = (specifier: string): string => `
      import Pyroscope, { init, start, stop, wrapWithLabels, type PyroscopeConfig, type PyroscopeHeapConfig, type PyroscopeWallConfig } from '${specifier}';
      import express from 'express';
      import fastify from 'fastify';
      const wall: PyroscopeWallConfig = { samplingDurationMs: 1, samplingIntervalMicros: 10000, collectCpuTime: true };
      const heap: PyroscopeHeapConfig = { samplingIntervalBytes: 1, stackDepth: 2 };
      const config: PyroscopeConfig = {
        appName: 'a', authToken: 'b', flushIntervalMs: 1, heap, wall, serverAddress: 'c', tags: { a: 'b', c: 1 }, basicAuthUser: 'u',
        basicAuthPassword: 'p', tenantID: 't', stripFilenames: 'dependencies', shortenPaths: true, sourceMapper: await Pyroscope.SourceMapper.create(['.'], false),
      };
      init(config); init(); start(); Pyroscope.startWallProfiling(); Pyroscope.startHeapProfiling(); Pyroscope.startCpuProfiling();
      wrapWithLabels({ a: 1, b: 'c' }, () => undefined); Pyroscope.wrapWithLabels({}, (...args: unknown[]) => void args, 1, 'x');
      Pyroscope.setLabels(Pyroscope.getLabels()); Pyroscope.setWallLabels(Pyroscope.getWallLabels());
      const app = express(); app.use(Pyroscope.expressMiddleware());
      await fastify().register(Pyroscope.fastifyMiddleware());
      const say = (...args: Array<{}>): void => void args;
      Pyroscope.setLogger({ error: say, trace: say, debug: say, info: say, warn: say, fatal: say });
      const mapper = new Pyroscope.SourceMapper(); mapper.hasMappingInfo('x'); mapper.mappingInfo({ file: 'x', line: 0, column: 0 }).line;
      await Promise.all([stop(), Pyroscope.stopWallProfiling(), Pyroscope.stopHeapProfiling(), Pyroscope.stopCpuProfiling()]);
    `;
    const files = ['@pyroscope/nodejs', '@hearth/agent/pyroscope'].map((specifier, at) => {
      const file = path.join(folder, `user${at}.mts`);
      writeFileSync(file, program(specifier));
      return file;
    });
    try {
      const checked = ts.createProgram(files, {
        strict: true,
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.NodeNext,
        skipLibCheck: true,
        noEmit: true,
        types: ['node'],
      });
      const faults = ts
        .getPreEmitDiagnostics(checked)
        .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
      expect(faults).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('takes the place of the client in its example by the name in one line', async () => {
    const example = fileURLToPath(new URL('../../../examples/pyroscope-client/src/server.js', import.meta.url));
    const source = readFileSync(example, 'utf8');
    const switched = source.replace("from '@pyroscope/nodejs'", `from '${OURS[0]}'`);
    expect(switched).not.toBe(source);
    const folder = mkdtempSync(path.join(AGENT_DIST, '../.try-example-'));
    const file = path.join(folder, 'server.mjs');
    writeFileSync(file, switched);
    try {
      const { code, errors } = await runHost(path.relative(path.join(AGENT_DIST, '../test/hosts'), file), '', {
        env: {
          PORT: '0',
          PYROSCOPE_SERVER_ADDRESS: sink.url,
          PYROSCOPE_AUTH_TOKEN: 'k',
          FLUSH_INTERVAL_MS: '1000',
          REVISION: 'abc',
        },
        onLine: (line, host) => {
          const url = /http:\S+/.exec(line)![0];
          void (async () => {
            for (let at = 0; at < 20; at += 1) await Promise.all(['scale', 'report'].map((path_) => fetch(`${url}/${path_}`)));
            host.kill('SIGTERM');
          })();
        },
      });
      expect(code, errors).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
    const rows = sink.stored.flatMap((batch) => flatSamples(batch, 'cpu'));
    const sharpened = rows.filter(({ functionsRootFirst: names }) => names.includes('sharpen'));
    expect(sharpened.length).toBeGreaterThan(0);
    expect(sharpened.every(({ labels }) => labelValue(labels, 'route') === 'GET /scale')).toBe(true); // after the await
    expect(sink.stored[0]!.process.revision).toBe('abc');
  });
});
