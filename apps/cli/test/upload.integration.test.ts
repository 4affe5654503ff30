import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import type { ApiKeyAnswer, SourceMapsAnswer } from '@hearth/query-contract';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { QueryServer } from '../../../test/support/query-server.js';
import { findIdentity } from '../../agent/src/identity/service-identity.js';
import { UPLOAD_HELP } from '../src/help.js';
import { VERSION } from '../src/version.js';
import { BuildFolder, MAP, PROGRAM, SHA, type Run } from './support/build-folder.js';

let postgres: TestPostgres;
let server: QueryServer;
let ingestKey = '';
let folder: BuildFolder;
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
  folder = new BuildFolder();
});
afterEach(() => folder.remove());

const write = (file: string, text: string): void => folder.write(file, text);
const writeBuild = (): void => folder.writeBuild();
/** In its output the server's address is always the same. */
async function hearth(args: readonly string[], variables: Readonly<Record<string, string>> = {}, user = {}): Promise<Run> {
  const { url } = server.address;
  const run = await folder.hearth(args, { HEARTH_URL: url, HEARTH_KEY: ingestKey, ...variables }, user);
  const plain = (text: string): string => text.replaceAll(url, 'http://hearth:4040');
  return { code: run.code, out: plain(run.out), err: plain(run.err) };
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
    const { service, revision, revisionSource, rootDir } = findIdentity(given, path.join(folder.path, 'dist'));
    const run = async (variables: Readonly<Record<string, string>>) =>
      (await hearth(['source-maps', 'upload', 'dist', '--dry-run'], variables)).out.split('\n')[0];
    expect(await run({})).toBe(
      `service ${service}, revision ${revision} (${revisionSource}), files relative to ${rootDir.replace(folder.path, '/shop')}`,
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
    for (const closed of ['closed.js.map', 'private.js', 'private']) chmodSync(path.join(folder.path, 'dist', closed), 0);
    chmodSync(folder.path, 0o755);
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const { code, out, err } = await hearth(['source-maps', 'upload', 'dist', '--revision', 'closed', '--json'], {}, nobody);
    chmodSync(path.join(folder.path, 'dist/private'), 0o755);
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
    for (const closed of ['dist', 'closed']) chmodSync(path.join(folder.path, closed), 0);
    chmodSync(folder.path, 0o755);
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
    for (const closed of ['dist', 'closed']) chmodSync(path.join(folder.path, closed), 0o755);
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
