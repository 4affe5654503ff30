import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import type { ApiKeyAnswer, SourceMapsAnswer } from '@hearth/query-contract';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { madeMap } from '../../../test/support/made-map.js';
import { startTestPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { QueryServer } from '../../../test/support/query-server.js';
import { findIdentity } from '../../agent/src/identity/service-identity.js';
import { UPLOAD_HELP } from '../src/help.js';
import { VERSION } from '../src/version.js';

const PROGRAM = fileURLToPath(new URL('../dist/main.mjs', import.meta.url));
const MAP = JSON.stringify({ ...madeMap([[[0, 0, 0, 0, 0]]]), sourcesContent: ['function parseOrder() {}'] });
const SHA = '3f2a9bc47d1e0f6a5b8c9d0e1f2a3b4c5d6e7f80';

let postgres: TestPostgres;
let server: QueryServer;
let ingestKey = '';
let folder = '';
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await QueryServer.start(await postgres.createDatabase());
  ingestKey = (await server.post<ApiKeyAnswer>('/api/v1/api-keys', { name: 'ci', kind: 'ingest' })).body.key!;
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hearth-cli-'));
  write('package.json', JSON.stringify({ name: 'shop' }));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(file: string, text: string): void {
  const place = path.join(folder, file);
  mkdirSync(path.dirname(place), { recursive: true });
  writeFileSync(place, text);
}
/** A build as tools leave it. */
function writeBuild(): void {
  write('dist/server.js', 'run();\n//# sourceMappingURL=server.js.map\n');
  write('dist/server.js.map', MAP);
  write(
    'dist/jobs/worker.mjs',
    `run();\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(MAP).toString('base64')}`,
  );
  write('dist/beside.cjs', 'run();');
  write('dist/beside.cjs.map', MAP);
  write('dist/written.js', 'run();');
  write('dist/node_modules/lib/lib.js', 'run();\n//# sourceMappingURL=lib.js.map');
  write('dist/node_modules/lib/lib.js.map', MAP);
}

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}
/** Runs the built command; its output without what differs between two runs. @param user - Permissions do not hold for root. */
async function hearth(
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
  user: { readonly uid?: number; readonly gid?: number } = {},
): Promise<Run> {
  const program = spawn(process.execPath, [PROGRAM, ...args], {
    ...user,
    cwd: folder,
    env: { PATH: process.env['PATH'], HEARTH_URL: server.address.url, HEARTH_KEY: ingestKey, ...variables },
  });
  const plain = (text: string) => text.replaceAll(folder, '/shop').replaceAll(server.address.url, 'http://hearth:4040');
  let [out, err] = ['', ''];
  program.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  program.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const code = await new Promise<number | null>((resolve) => program.once('close', resolve));
  return { code, out: plain(out), err: plain(err) };
}
const upload = (...more: readonly string[]) => hearth(['source-maps', 'upload', 'dist', '--revision', SHA, ...more]);
const maps = async (revision = SHA) =>
  (await server.get<SourceMapsAnswer>(`/api/v1/source-maps?service=shop&revision=${revision}`)).body.maps;

describe('hearth source-maps upload', () => {
  it('sends what a build left, and says what became of each', async () => {
    writeBuild();
    const first = await upload();
    expect(first).toEqual({
      code: 0,
      out: [
        `service shop, revision ${SHA} (option), files relative to /shop`,
        '  stored        162 B  dist/beside.cjs  2 sources',
        '  stored        162 B  dist/jobs/worker.mjs  2 sources',
        '  stored        162 B  dist/server.js  2 sources',
        '  no map               dist/written.js  no source map',
        '3 of 3 source maps are at http://hearth:4040.',
        '',
      ].join('\n'),
      err: '',
    });
    expect((await maps()).map(({ file }) => file).sort()).toEqual(['dist/beside.cjs', 'dist/jobs/worker.mjs', 'dist/server.js']);
    expect((await upload()).out.match(/unchanged/g)).toHaveLength(3);
  });

  it('sends nothing in a dry run, which needs no key', async () => {
    writeBuild();
    const { code, out } = await hearth(['source-maps', 'upload', 'dist', '--dry-run', '--revision', 'dry'], { HEARTH_KEY: '' });
    expect([code, out.split('\n').slice(1)]).toEqual([
      0,
      [
        '  found         162 B  dist/beside.cjs  (dist/beside.cjs.map)',
        '  found         162 B  dist/jobs/worker.mjs  (inline)',
        '  found         162 B  dist/server.js  (dist/server.js.map)',
        '  no map               dist/written.js  no source map',
        '3 source maps would be sent to http://hearth:4040; nothing was.',
        '',
      ],
    ]);
  });

  it('writes JSON for programs', async () => {
    write('dist/server.js', '//# sourceMappingURL=server.js.map');
    write('dist/server.js.map', MAP);
    const { code, out } = await upload('--json', '--without-sources');
    expect([code, JSON.parse(out)]).toEqual([
      0,
      {
        url: 'http://hearth:4040',
        service: 'shop',
        revision: SHA,
        revisionSource: 'option',
        root: '/shop',
        mode: 'upload',
        maps: [expect.objectContaining({ file: 'dist/server.js', from: 'dist/server.js.map', sources: 2 })],
        without: [],
      },
    ]);
    expect((JSON.parse(out) as { maps: { bytes: number }[] }).maps[0]!.bytes).toBeLessThan(Buffer.byteLength(MAP));
  });

  it('leaves sources out wherever they are in a map, and sends none that it cannot read', async () => {
    let sent = '';
    const sink = createServer((request, response) => {
      request.pipe(createGunzip()).setEncoding('utf8').on('data', (text: string) => (sent += text)).once('end', () => {
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"outcome":"stored","sources":1}');
      }); // prettier-ignore
    });
    await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
    for (const name of ['broken', 'guarded', 'sections']) write(`dist/${name}.js`, `//# sourceMappingURL=${name}.js.map`);
    write('dist/broken.js.map', `${MAP},`);
    write('dist/guarded.js.map', `)]}'\n${MAP}`);
    write('dist/sections.js.map', `{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":${MAP}}]}`);
    const { code, out } = await upload('--url', url, '--without-sources');
    expect([code, sent.match(/"mappings"/g)?.length, sent.includes('function')]).toEqual([1, 2, false]);
    expect(out).toMatch(/failed +163 B {2}dist\/broken\.js {2}SOURCE_MAP_INVALID: it is no JSON/);
    sink.closeAllConnections();
    await new Promise((resolve) => sink.close(resolve));
  });

  it('finds service, revision and root as the agent does', async () => {
    writeBuild();
    write('.git/HEAD', 'ref: refs/heads/main\n');
    write('.git/refs/heads/main', `${SHA}\n`);
    const given = { service: '', revisionOption: '', revisionVariable: '' };
    const { service, revision, revisionSource, rootDir } = findIdentity(given, path.join(folder, 'dist'));
    const run = async (variables: Readonly<Record<string, string>>) =>
      (await hearth(['source-maps', 'upload', 'dist', '--dry-run'], variables)).out.split('\n')[0];
    expect(await run({})).toBe(
      `service ${service}, revision ${revision} (${revisionSource}), files relative to ${rootDir.replace(folder, '/shop')}`,
    );
    expect(revision).toBe(SHA);
    expect(await run({ GITHUB_SHA: 'abc', HEARTH_SERVICE: 'cart' })).toBe(
      'service cart, revision abc (environment), files relative to /shop',
    );
  });

  it('sends no other file of the machine, whatever a script says', async () => {
    write('secret.map', MAP);
    write('dist/evil.js', '//# sourceMappingURL=../../../../../../etc/passwd');
    write('dist/far.js', '//# sourceMappingURL=https://elsewhere.example/far.js.map');
    write('dist/missing.js', '//# sourceMappingURL=gone.js.map');
    write('dist/inner/up.js', '//# sourceMappingURL=../../../up.js.map');
    write('dist/broken.js', '//# sourceMappingURL=data:nothing');
    const { code, out, err } = await upload();
    expect(code).toBe(3);
    expect(out.split('\n').filter((line) => line.startsWith('  no map'))).toEqual([
      '  no map               dist/broken.js  its inline source map cannot be read',
      '  no map               dist/evil.js  its source map is missing: ../../../../../../etc/passwd',
      '  no map               dist/far.js  its source map is elsewhere: https://elsewhere.example/far.js.map',
      '  no map               dist/inner/up.js  its source map is missing: ../../../up.js.map',
      '  no map               dist/missing.js  its source map is missing: gone.js.map',
    ]);
    expect(err).toBe(
      'hearth: no source maps found: let the build write them (esbuild --sourcemap, tsc --sourceMap, webpack devtool: "source-map")\n',
    );
  });

  it('goes on where a script, a map or a folder cannot be read, and says why', async () => {
    writeBuild();
    const long = `${'x'.repeat(300)}.map`;
    write('dist/long.js', `//# sourceMappingURL=${long}`);
    write('dist/null.js', '//# sourceMappingURL=a%00.map');
    write('dist/null-beside.js', '//# sourceMappingURL=a%00.map');
    write('dist/null-beside.js.map', MAP);
    write('dist/closed.js', '//# sourceMappingURL=closed.js.map');
    write('dist/closed.js.map', MAP);
    write('dist/private.js', 'run();');
    write('dist/private/inside.js', 'run();');
    for (const closed of ['closed.js.map', 'private.js', 'private']) chmodSync(path.join(folder, 'dist', closed), 0);
    chmodSync(folder, 0o755);
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const { code, out, err } = await hearth(['source-maps', 'upload', 'dist', '--revision', 'closed', '--json'], {}, nobody);
    chmodSync(path.join(folder, 'dist/private'), 0o755);
    expect([code, err]).toEqual([0, '']);
    const report = JSON.parse(out) as { maps: { file: string; outcome: string }[]; without: object[] };
    expect(report.maps.map(({ file, outcome }) => [file, outcome])).toEqual([
      ['dist/beside.cjs', 'stored'],
      ['dist/jobs/worker.mjs', 'stored'],
      ['dist/null-beside.js', 'stored'],
      ['dist/server.js', 'stored'],
    ]);
    expect(report.without).toEqual([
      { file: 'dist/private', why: 'the folder cannot be read (EACCES)' },
      { file: 'dist/closed.js', why: 'its source map cannot be read (EACCES): closed.js.map' },
      { file: 'dist/long.js', why: `its source map cannot be read (ENAMETOOLONG): ${long.slice(0, 100)}` },
      { file: 'dist/null.js', why: 'its source map cannot be read (ERR_INVALID_ARG_VALUE): a%00.map' },
      { file: 'dist/private.js', why: 'cannot be read (EACCES)' },
      { file: 'dist/written.js', why: 'no source map' },
    ]);
  });

  it('ends with 2 where the folder itself cannot be read', async () => {
    write('dist/server.js', 'run();');
    write('closed/dist/server.js', 'run();');
    for (const closed of ['dist', 'closed']) chmodSync(path.join(folder, closed), 0);
    chmodSync(folder, 0o755);
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const long = 'x'.repeat(300);
    for (const [dir, why] of [
      ['dist', 'EACCES'],
      ['closed/dist', 'EACCES'],
      [long, 'ENAMETOOLONG'],
    ] as const) {
      const run = await hearth(['source-maps', 'upload', dir, '--revision', SHA], {}, nobody);
      expect(run).toEqual({ code: 2, out: '', err: `hearth: ${dir} cannot be read (${why})\n` });
    }
    for (const closed of ['dist', 'closed']) chmodSync(path.join(folder, closed), 0o755);
  });

  it('ends with 1 and says what to do when something was refused', async () => {
    writeBuild();
    write('dist/server.js.map', '{"version": 2}');
    const refused = await upload();
    expect(refused.code).toBe(1);
    expect(refused.out).toMatch(/failed +14 B {2}dist\/server\.js {2}SOURCE_MAP_INVALID: the body is no source map/);
    expect(refused.out).toContain('2 of 3 source maps are at');
    expect(refused.err).toBe('hearth: not everything was sent. docs/errors.md says what to do: SOURCE_MAP_INVALID\n');
    const wrongKey = await hearth(['source-maps', 'upload', 'dist', '--revision', 'x', '--key', 'nobody'], {});
    expect([wrongKey.code, wrongKey.err]).toEqual([
      1,
      'hearth: the key was refused: make an ingest key on the Install page, and pass it as --key or HEARTH_KEY\n',
    ]);
    expect(wrongKey.out.match(/^ {2}failed|^ {2}not sent/gm)).toEqual(['  failed', '  not sent', '  not sent']);
  });

  it('waits and asks again as the server says, and gives up a server that is away', async () => {
    write('dist/server.js', '//# sourceMappingURL=server.js.map');
    write('dist/server.js.map', MAP);
    let asked = 0;
    const busy = createServer((request, response) => {
      request.resume().once('end', () => {
        asked += 1;
        const status = asked === 1 ? 429 : 200;
        response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '1' });
        response.end(JSON.stringify(status === 429 ? { code: 'SOURCE_MAPS_BUSY' } : { outcome: 'stored', sources: 1 }));
      });
    });
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(busy.address() as AddressInfo).port}`;
    const startedMs = performance.now();
    expect((await upload('--url', url)).code).toBe(0);
    expect([asked, performance.now() - startedMs >= 1_000]).toEqual([2, true]);
    busy.closeAllConnections();
    await new Promise((resolve) => busy.close(resolve));
  });

  it.each([
    ['{"status":"ok"}', 200],
    ['{"outcome":"thanks","sources":1}', 200],
    ['{"outcome":"stored"}', 201],
    ['["stored"]', 200],
    ['<html>Welcome</html>', 200],
    ['{"error":{"code":5}}', 404],
    ['Not Found', 404],
  ])('says that what answers %s is no Hearth server, and sends it nothing more', async (answer, status) => {
    writeBuild();
    let asked = 0;
    const other = createServer((request, response) => {
      request.resume().once('end', () => {
        asked += 1;
        response.writeHead(status).end(answer);
      });
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const text = await upload('--url', url);
    expect([text.code, asked, text.out.match(/not sent/g)?.length]).toEqual([1, 1, 2]);
    expect(text.out).toContain(`NO_HEARTH_SERVER: ${url} is no Hearth server (it answered ${status})`);
    expect(text.err).toBe(`hearth: not everything was sent: name the address of the Hearth server with --url or HEARTH_URL\n`);
    const json = await upload('--url', url, '--json');
    const { maps: sent } = JSON.parse(json.out) as { maps: { outcome: string; code?: string }[] };
    expect([json.code, sent.map(({ outcome, code }) => code ?? outcome)]).toEqual([
      1,
      ['NO_HEARTH_SERVER', 'not-sent', 'not-sent'],
    ]);
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
  });

  it('asks again where an answer is cut off', async () => {
    write('dist/server.js', '//# sourceMappingURL=server.js.map');
    write('dist/server.js.map', MAP);
    let asked = 0;
    const cut = createServer((request, response) => {
      request.resume().once('end', () => {
        asked += 1;
        const answer = '{"outcome":"stored","sources":1}';
        response.writeHead(200, { 'content-length': answer.length });
        if (asked > 1) response.end(answer);
        else response.write(answer.slice(0, 9), () => response.destroy());
      });
    });
    await new Promise<void>((resolve) => cut.listen(0, '127.0.0.1', resolve));
    const { code } = await upload('--url', `http://127.0.0.1:${(cut.address() as AddressInfo).port}`);
    expect([code, asked]).toEqual([0, 2]);
    cut.closeAllConnections();
    await new Promise((resolve) => cut.close(resolve));
  });

  it('asks no further when nobody answers, or the server is busy for longer than two minutes', async () => {
    writeBuild();
    let asked = 0;
    const busy = createServer((request, response) => {
      request.resume().once('end', () => {
        asked += 1;
        response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '121' }).end('{"code":"STORAGE_FULL"}');
      });
    });
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(busy.address() as AddressInfo).port}`;
    const refused = await upload('--url', url);
    expect([refused.code, asked, refused.out.match(/not sent/g)?.length]).toEqual([1, 1, 2]);
    expect(refused.err).toContain('Run the command again later');
    busy.closeAllConnections();
    await new Promise((resolve) => busy.close(resolve));
    const away = await upload('--url', url, '--json');
    const { maps: sent } = JSON.parse(away.out) as { maps: { outcome: string }[] };
    expect([away.code, sent.map(({ outcome }) => outcome)]).toEqual([1, ['failed', 'not-sent', 'not-sent']]);
    expect(away.err).toContain('run the command again when the server answers');
  });

  it.each([
    [[], 'usage'],
    [['profiles'], 'hearth: there is no command "profiles". "hearth --help" shows what there is\n'],
    [
      ['source-maps', 'upload'],
      'hearth: source-maps upload: name the folder of the build, as in "hearth source-maps upload dist". "hearth --help" shows what there is\n',
    ],
    [['source-maps', 'upload', 'nowhere'], 'hearth: nowhere is no folder: name the one that the build wrote\n'],
    [['source-maps', 'upload', '.', '--what'], 'hearth: unknown option \'--what\'. "hearth --help" shows what there is\n'],
    [
      ['source-maps', 'upload', '.', '--url', 'ftp://x', '--revision', 'r'],
      'hearth: "ftp://x" is no http(s) address of a Hearth server (--url, HEARTH_URL)\n',
    ],
    [
      ['source-maps', 'upload', '.'],
      'hearth: no revision: neither .git nor a variable tells it here. Pass --revision, the one that its processes will send\n',
    ],
    [['source-maps', 'upload', '.', '--revision', 'r', '--root', 'dist'], 'hearth: . is not inside of /shop/dist (--root)\n'],
  ])('ends with 2 where it is called as %j', async (args, expected) => {
    const { code, out, err } = await hearth(args);
    expect([code, out]).toEqual([2, '']);
    if (expected === 'usage') expect(err).toContain('hearth source-maps upload <folder>');
    else expect(err).toBe(expected);
  });

  it.each(['secret\nkey', 'secret key', 'secret…', 'sécret', 'secret\u007f'])(
    'refuses the key %j at once and does not show it',
    async (key) => {
      writeBuild();
      const refused = { code: 2, out: '', err: 'hearth: the key has characters that no key has (--key, HEARTH_KEY)\n' };
      expect(await upload('--key', key)).toEqual(refused);
      expect(await hearth(['source-maps', 'upload', 'dist', '--revision', SHA], { HEARTH_KEY: key })).toEqual(refused);
    },
  );

  it('takes an empty key for none', async () => {
    writeBuild();
    const { code, err } = await upload('--key', '');
    expect([code, err]).toEqual([2, expect.stringContaining('no key: make an ingest key')]);
  });

  it.each([
    ['http://user:passw0rd@127.0.0.1:4040', 'has a user name or password in it'],
    ['http://passw0rd@127.0.0.1:4040/hearth', 'has a user name or password in it'],
    ['http:user:passw0rd@127.0.0.1', 'has a user name or password in it'],
    ['ftp://user:passw0rd@127.0.0.1', 'is no http(s) address'],
    ['user:passw0rd@127.0.0.1:4040', 'is no http(s) address'],
    ['http://user:passw0rd@127.0.0.1:port', 'is no http(s) address'],
  ])('refuses the URL %s at once and does not show it', async (url, why) => {
    writeBuild();
    for (const run of [upload('--url', url), hearth(['source-maps', 'upload', 'dist', '--revision', SHA], { HEARTH_URL: url })]) {
      const { code, out, err } = await run;
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain(why);
      expect(err).toContain('(--url, HEARTH_URL)');
      expect(err).not.toMatch(/user:|passw0rd/);
    }
  });

  it('explains itself', async () => {
    expect(existsSync(PROGRAM), 'built').toBe(true);
    expect(await hearth(['source-maps', 'upload', '--help'])).toEqual({ code: 0, out: UPLOAD_HELP, err: '' });
    expect(await hearth(['--version'])).toMatchObject({ code: 0, out: `${VERSION}\n` });
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
    expect(VERSION).toBe(manifest.version);
    const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
    expect(page).toContain(UPLOAD_HELP);
  });
});
