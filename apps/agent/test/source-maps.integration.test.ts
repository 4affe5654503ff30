import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FunctionsAnswer, SourceMapsAnswer } from '@hearth/query-contract';
import { beforeEach, describe, expect, it } from 'vitest';
import { bundle } from '../../../test/support/bundle.js';
import { madeMap } from '../../../test/support/made-map.js';
import { startTestPostgres } from '../../../test/support/postgres.js';
import { QueryServer } from '../../../test/support/query-server.js';
import { startRecordingProxy } from '../../../test/support/recording-proxy.js';
import { until } from '../../../test/support/until.js';
import type { AgentOptions } from '../src/index.js';
import { findMap, MAX_MAP_BYTES } from '../src/source-maps/find-map.js';
import { MAX_MAPS } from '../src/source-maps/source-map-sender.js';
import { AGENT_DIST, HOST_NODE, runHost, type HostOptions, type HostResult } from './support/run-host.js';
import type { Sink } from './support/sink.js';
import { untilAllEnd } from './support/until-all-end.js';
import { saidBy } from './support/with-and-without.js';

const BUNDLED = fileURLToPath(new URL('../../../test/support/bundled/', import.meta.url));
const MAP = { ...madeMap([[[0, 0, 0, 0, 0]]]), sourcesContent: ['const secret = 1;', ''] };
const SENT = JSON.stringify({ ...MAP, sourcesContent: null });

const { newSink, newFolder } = untilAllEnd();

/** A service in a folder of its own. */
class Service {
  readonly folder = newFolder();

  constructor() {
    this.write('package.json', JSON.stringify({ name: 'shop', type: 'module', version: '1.0.0' }));
  }

  write(file: string, text: string): string {
    const place = path.join(this.folder, file);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, text);
    return place;
  }

  /** A script that the sampler sees. */
  writeBusy(name: string, url = `${name}.js.map`): string {
    const body = `let sum = 0; for (let step = 0; step < 5e5; step += 1) sum += Math.sqrt(step); return sum;`;
    return this.write(`dist/${name}.js`, `setInterval(function busy() { ${body} }, 40);\n//# sourceMappingURL=${url}\n`);
  }

  /** One that has its map beside it. */
  writeMapped(name: string): string {
    this.write(`dist/${name}.js.map`, JSON.stringify(MAP));
    return this.writeBusy(name);
  }

  /** Runs scripts under an agent with short periods until `seen` gives something; then they exit with 7. */
  async runUntil(
    seen: () => Promise<true | undefined>,
    { url, agent = {}, imports, ...options }: { url: string; agent?: AgentOptions; imports: readonly string[] } & HostOptions,
  ): Promise<HostResult> {
    const host = this.write(
      `host-${imports.length}.mjs`,
      `import { init } from ${JSON.stringify(`${AGENT_DIST}index.mjs`)};
       init({ periodMs: 1000, heap: 'off', ...${JSON.stringify(agent)} });
       process.stdin.resume().on('end', () => process.exit(7));
       ${imports.map((file) => `await import(${JSON.stringify(`./dist/${file}`)});`).join('\n')}`,
    );
    let fault: Error | undefined;
    const result = await runHost(host, url, {
      ...options,
      env: { HEARTH_SERVICE: 'shop', HEARTH_REVISION: 'r1', ...options.env },
      onStart: (program) => {
        void until(seen, 50_000)
          .catch((error: unknown) => {
            fault = error as Error;
          })
          .then(() => program.stdin!.end());
      },
    });
    if (fault !== undefined) throw new Error(`${fault.message}: ${result.output}${result.errors}`);
    return result;
  }
}

describe('findMap', () => {
  const COMMENT = '//# sourceMappingURL=';
  let service: Service;
  beforeEach(() => {
    service = new Service();
  });
  const find = async (code: string, rootDir = service.folder) => findMap(service.write('dist/app.js', code), rootDir);

  it('finds the file that the comment names, else the one beside it', async () => {
    const [named, beside] = [service.write('maps/named.map', '{}'), service.write('dist/app.js.map', '{}')];
    expect(await find(`${COMMENT}../maps/named.map`)).toEqual({ file: named, sizeBytes: 2 });
    expect(await find('run();')).toEqual({ file: beside, sizeBytes: 2 });
    expect(await find(`${COMMENT}gone.map`)).toEqual({ file: beside, sizeBytes: 2 });
  });

  it('reads a small inline map, and no large one', async () => {
    const inline = (bytes: number) =>
      `${COMMENT}data:application/json;base64,${Buffer.from('x'.repeat(bytes)).toString('base64')}`;
    expect(await find(inline(700_000))).toMatchObject({ bytes: { length: 700_000 } });
    expect(await find(inline(800_000))).toBeUndefined();
  });

  it('takes no text of the program for a comment', async () => {
    service.write('dist/gone.map', '{}');
    expect(await find(`const text = "\n${COMMENT}gone.map\n"; run();`)).toBeUndefined();
    expect(await find(`run();\n${COMMENT}gone.map\n//# debugId=1\n`)).toMatchObject({ sizeBytes: 2 });
  });

  it('finds nothing where there is nothing', async () => {
    expect(await find('run();')).toBeUndefined();
    expect(await find(`${COMMENT}gone.map`)).toEqual({ why: 'its source map is missing' });
    expect(await find(`${COMMENT}https://elsewhere.example/app.js.map`)).toEqual({ why: 'its source map is elsewhere' });
  });

  it('sends no other file of the machine, whatever the comment says', async () => {
    const outside = { why: 'its source map is outside of the program' };
    const elsewhere = newFolder();
    writeFileSync(path.join(elsewhere, 'secret.map'), '{}');
    expect(await find(`${COMMENT}../../${path.basename(elsewhere)}/secret.map`)).toEqual(outside);
    expect(await find(`${COMMENT}../package.json`)).toEqual(outside);
    symlinkSync(path.join(elsewhere, 'secret.map'), path.join(service.folder, 'dist/link.map'));
    expect(await find(`${COMMENT}link.map`)).toEqual(outside);
    service.write('maps/up.map', '{}');
    expect(await find(`${COMMENT}../maps/up.map`, '')).toEqual(outside); // without a root only what is below the script
  });

  it('opens no pipe, device or folder, and nothing larger than the limit', async () => {
    const plain = { why: 'its source map is no plain file' };
    execFileSync('mkfifo', [path.join(service.folder, 'pipe.map')]);
    mkdirSync(path.join(service.folder, 'folder.map'));
    expect(await find(`${COMMENT}../pipe.map`)).toEqual(plain);
    expect(await find(`${COMMENT}../folder.map`)).toEqual(plain);
    const large = service.write('large.map', '');
    truncateSync(large, MAX_MAP_BYTES);
    expect(await find(`${COMMENT}../large.map`)).toEqual({ file: large, sizeBytes: MAX_MAP_BYTES });
    truncateSync(large, MAX_MAP_BYTES + 1);
    expect(await find(`${COMMENT}../large.map`)).toEqual({
      why: `its source map has ${MAX_MAP_BYTES + 1} bytes, ${MAX_MAP_BYTES} are sent`,
    });
  });
});

describe.concurrent('source maps of a bundle', () => {
  it('are sent by one of its processes, and its functions have the names of their sources from then on', async () => {
    const postgres = await startTestPostgres();
    const server = await QueryServer.start(await postgres.createDatabase());
    const proxy = await startRecordingProxy(server.address.url);
    try {
      const service = new Service();
      cpSync(BUNDLED, path.join(service.folder, 'src'), { recursive: true });
      await bundle(path.join(service.folder, 'dist/app.mjs'), { sourceDir: path.join(service.folder, 'src') });
      const namesOf = async (): Promise<string[]> => {
        const path = `/api/v1/functions?service=shop&revision=r1&from=${Date.now() - 600_000}&until=${Date.now() + 60_000}`;
        return (await server.get<FunctionsAnswer>(path)).body.functions.map(({ name, file }) => `${name} ${file}`);
      };
      const isNamed = async () => ((await namesOf()).includes('spin src/cart.ts') ? true : undefined);
      const run = () =>
        service.runUntil(isNamed, {
          url: proxy.url,
          agent: { sourceMaps: 'send-with-sources' },
          imports: ['app.mjs'],
          args: ['60000'], // milliseconds that it works
          env: { HEARTH_KEY: server.address.key },
        });
      const hosts = await Promise.all([run(), run()]);
      expect(hosts.map(({ code }) => code)).toEqual([7, 7]);
      expect(hosts.flatMap(saidBy).filter((code) => code !== 'AGENT_STARTED' && code !== 'AGENT_CONNECTED')).toEqual([
        'AGENT_SOURCE_MAP_SENT',
      ]);
      const { maps } = (await server.get<SourceMapsAnswer>('/api/v1/source-maps?service=shop')).body;
      expect(maps.map(({ revision, file }) => `${revision} ${file}`)).toEqual(['r1 dist/app.mjs']);
      const sent = proxy.asked.filter(({ path }) => path.startsWith('/api/v1/source-maps?'));
      expect(sent.map(({ status }) => status)).toEqual([200]);
      expect(await namesOf()).toEqual(expect.arrayContaining(['tax src/tax.ts', 'addItem src/cart.ts']));
    } finally {
      await proxy.stop();
      await server.stop();
      await postgres.stop();
    }
  });
});

describe.concurrent('a host whose maps are sent', () => {
  const SEND = { sourceMaps: 'send' } as const;
  const filesAt = (sink: Sink) => sink.maps.map(({ file }) => file).sort();
  const mapsAt = (sink: Sink, count: number) => async () =>
    sink.maps.filter(({ file }) => file !== '').length >= count || undefined;
  const batchesAt = (sink: Sink, count: number) => async () => sink.stored.length >= count || undefined;

  it('sends those that it can read, without the code in them, and runs on beside all others', async () => {
    const [sink, service] = [await newSink(), new Service()];
    service.writeMapped('good');
    service.write('dist/loads.cjs', `require('./od\\\\d.cjs')`);
    renameSync(service.writeMapped('odd'), path.join(service.folder, 'dist/od\\d.cjs')); // refused by every server, and others with it
    service.writeBusy('inline', `data:application/json;base64,${Buffer.from(JSON.stringify(MAP)).toString('base64')}`);
    service.writeBusy('missing');
    service.writeBusy('broken');
    service.write('dist/broken.js.map', `{"names":[],"sourcesContent":["secret"],${'\n'.repeat(200_000)} secret`);
    service.writeBusy('pipe', 'pipe.map');
    execFileSync('mkfifo', [path.join(service.folder, 'dist/pipe.map')]);
    service.writeBusy('far', 'http://127.0.0.1:9/far.js.map');
    const imports = ['good', 'inline', 'missing', 'broken', 'pipe', 'far'].map((name) => `${name}.js`).concat('loads.cjs');
    const result = await service.runUntil(mapsAt(sink, 3), { url: sink.url, agent: SEND, imports });
    expect(result.code).toBe(7);
    expect(result.errors).not.toContain('AGENT_FAULT');
    expect(saidBy(result)).toEqual(expect.arrayContaining(['AGENT_SOURCE_MAP_NOT_SENT', 'AGENT_SOURCE_MAP_SENT']));
    const bodies = new Map(sink.maps.map(({ file, body }) => [file, body]));
    expect([...bodies.keys()].filter((file) => file !== '').sort()).toEqual(['dist/broken.js', 'dist/good.js', 'dist/inline.js']);
    const claims = sink.maps
      .filter(({ file }) => file === '')
      .flatMap(({ body }) => (JSON.parse(body) as { files: string[] }).files);
    expect(claims.sort()).toEqual(['dist/broken.js', 'dist/good.js', 'dist/inline.js']);
    expect([bodies.get('dist/good.js'), bodies.get('dist/inline.js')]).toEqual([SENT, SENT]);
    expect(bodies.get('dist/broken.js')).toMatch(/\(broken off\)$/);
    expect([...bodies.values()].join()).not.toContain('secret');
    const ofMap = sink.maps.find(({ file }) => file === 'dist/good.js')!.query;
    expect([ofMap.get('service'), ofMap.get('revision')]).toEqual(['shop', 'r1']);
  });

  it('asks again where the server is busy, and not where it refuses', async () => {
    const [sink, service] = [await newSink(), new Service()];
    const imports = ['busy', 'refused'].map((name) => path.basename(service.writeMapped(name)));
    const failed = new Set<string>();
    sink.answerMap = (map, response) => {
      if (map.file === 'dist/refused.js') response.writeHead(413).end('{"code":"SOURCE_MAP_TOO_LARGE"}');
      else if (failed.has(map.file)) sink.takeMap(map, response);
      else {
        failed.add(map.file);
        if (map.file === '') response.socket!.destroy();
        else response.writeHead(503, { 'retry-after': '0' }).end();
      }
    };
    const result = await service.runUntil(mapsAt(sink, 3), { url: sink.url, agent: SEND, imports });
    expect(result.code).toBe(7);
    const asked = filesAt(sink).filter((file) => file !== '');
    expect(asked).toEqual(['dist/busy.js', 'dist/busy.js', 'dist/refused.js']);
    const line = 'the source map of dist/refused.js is not sent: HTTP 413 SOURCE_MAP_TOO_LARGE [AGENT_SOURCE_MAP_NOT_SENT]';
    expect(result.errors).toContain(line);
  });

  it('sends as many as allowed, and no more', async () => {
    const [sink, service] = [await newSink(), new Service()];
    service.write('dist/all.map', JSON.stringify(MAP));
    // Each calls the next, so one sample holds them all.
    for (let step = 0; step <= MAX_MAPS; step += 1)
      service.write(
        `dist/step${step}.js`,
        `import { run as next } from './step${step + 1}.js'; export const run = () => next() + 1;\n//# sourceMappingURL=all.map`,
      );
    const burn = 'let sum = 0; for (let turn = 0; turn < 2e6; turn += 1) sum += Math.sqrt(turn); return sum;';
    service.write(`dist/step${MAX_MAPS + 1}.js`, `export const run = () => { ${burn} };`);
    service.write('dist/start.js', `import { run } from './step0.js'; setInterval(run, 40);`);
    let batches = Infinity;
    const sent = async () => {
      if (sink.maps.filter(({ file }) => file !== '').length >= MAX_MAPS) batches = Math.min(batches, sink.stored.length);
      return sink.stored.length >= batches + 2 || undefined;
    };
    const result = await service.runUntil(sent, { url: sink.url, agent: SEND, imports: ['start.js'] });
    expect([result.code, filesAt(sink).filter((file) => file !== '').length]).toEqual([7, MAX_MAPS]);
    const asked = sink.maps.filter(({ file }) => file === '').map(({ body }) => (JSON.parse(body) as { files: string[] }).files);
    expect(asked.map(({ length }) => length)).toEqual([100, 100]);
    expect(result.errors).toContain(`this process has sent ${MAX_MAPS} of them, and sends no more`);
  });

  it.each([
    ['the key is refused', 401],
    ['the server is too old', 404],
  ])('asks once where %s', async (_, status) => {
    const [sink, service] = [await newSink(), new Service()];
    service.writeMapped('good');
    let batches = Infinity;
    sink.answerMap = (_map, response) => {
      batches = sink.stored.length;
      response.writeHead(status).end();
    };
    const twoPeriodsLater = async () => sink.stored.length >= batches + 2 || undefined;
    const result = await service.runUntil(twoPeriodsLater, { url: sink.url, agent: SEND, imports: ['good.js'] });
    expect([result.code, filesAt(sink)]).toEqual([7, ['']]);
    expect(result.errors).toContain(`source maps are not sent any more: ${sink.url} answers HTTP ${status}`);
  });

  it('sends none where nobody allows it, or no revision tells the build', async () => {
    const service = new Service();
    service.writeMapped('good');
    const run = async (agent: AgentOptions, env: Record<string, string>) => {
      const sink = await newSink();
      const result = await service.runUntil(batchesAt(sink, 3), { url: sink.url, agent, imports: ['good.js'], env });
      expect(sink.maps).toEqual([]);
      return saidBy(result);
    };
    expect(await run({}, {})).toEqual(['AGENT_STARTED', 'AGENT_CONNECTED']);
    expect(await run({}, { HEARTH_SOURCE_MAPS: 'send', HEARTH_REVISION: '' })).toContain('AGENT_SOURCE_MAP_NOT_SENT');
  });

  it('says in one line that it may not read them', async () => {
    const [sink, service] = [await newSink(), new Service()];
    const script = service.writeMapped('good');
    const isOld = spawnSync(HOST_NODE, ['--permission', '--version']).status !== 0; // before 23.5
    const readable = [script, '/etc/*', `${fileURLToPath(new URL('../../../', import.meta.url))}*`];
    for (const file of ['host-1.mjs', 'package.json', 'dist/package.json']) readable.push(path.join(service.folder, file));
    const nodeOptions = [isOld ? '--experimental-permission' : '--permission', '--allow-addons'];
    nodeOptions.push(...readable.map((file) => `--allow-fs-read=${file}`));
    if (spawnSync(HOST_NODE, [...nodeOptions, '--allow-net', '--version']).status === 0) nodeOptions.push('--allow-net');
    const result = await service.runUntil(batchesAt(sink, 4), { url: sink.url, agent: SEND, imports: ['good.js'], nodeOptions });
    expect([result.code, sink.maps]).toEqual([7, []]);
    expect(result.errors).toContain('the permission model of Node forbids to read scripts or their maps');
  });
});
