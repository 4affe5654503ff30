/** What the upload does where a server is away, busy, or none of ours. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BuildFolder, MAP, SHA, type Run } from './support/build-folder.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const STORED = '{"outcome":"stored","sources":1}';

let folder: BuildFolder;
let server: Server;
let url: string;
/** Requests so far. */
let asked: number;
/** What the server does with each, after it has been counted. */
let answer: (response: ServerResponse) => void;
beforeEach(async () => {
  folder = new BuildFolder();
  asked = 0;
  server = createServer((request, response) => {
    request.resume().once('end', () => {
      asked += 1;
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await stopServer();
  folder.remove();
});

async function stopServer(): Promise<void> {
  if (!server.listening) return;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

function writeOne(): void {
  folder.write('dist/server.js', '//# sourceMappingURL=server.js.map');
  folder.write('dist/server.js.map', MAP);
}

const upload = (...more: readonly string[]): Promise<Run> =>
  folder.hearth(['source-maps', 'upload', 'dist', '--revision', SHA, '--url', url, ...more], { HEARTH_KEY: 'hk_some' });

it('waits and asks again as the server says', async () => {
  writeOne();
  answer = (response) => {
    if (asked > 1) response.writeHead(200, JSON_TYPE).end(STORED);
    else response.writeHead(429, { ...JSON_TYPE, 'retry-after': '1' }).end('{"code":"SOURCE_MAPS_BUSY"}');
  };
  const startedMs = performance.now();
  expect((await upload()).code).toBe(0);
  expect([asked, performance.now() - startedMs >= 1_000]).toEqual([2, true]);
});

it.each([
  ['{"status":"ok"}', 200],
  ['{"outcome":"thanks","sources":1}', 200],
  ['{"outcome":"stored"}', 201],
  ['["stored"]', 200],
  ['<html>Welcome</html>', 200],
  ['{"error":{"code":5}}', 404],
  ['Not Found', 404],
])('says that what answers %s is no Hearth server, and sends it nothing more', async (text, status) => {
  folder.writeBuild();
  answer = (response) => response.writeHead(status).end(text);
  const said = await upload();
  expect([said.code, asked, said.out.match(/not sent/g)?.length]).toEqual([1, 1, 2]);
  expect(said.out).toContain(`NO_HEARTH_SERVER: ${url} is no Hearth server (it answered ${status})`);
  expect(said.err).toBe(`hearth: not everything was sent: name the address of the Hearth server with --url or HEARTH_URL\n`);
  const json = await upload('--json');
  const { maps: sent } = JSON.parse(json.out) as { maps: { outcome: string; code?: string }[] };
  expect([json.code, sent.map(({ outcome, code }) => code ?? outcome)]).toEqual([
    1,
    ['NO_HEARTH_SERVER', 'not-sent', 'not-sent'],
  ]);
});

it('asks again where an answer is cut off', async () => {
  writeOne();
  answer = (response) => {
    response.writeHead(200, { 'content-length': STORED.length });
    if (asked > 1) response.end(STORED);
    else response.write(STORED.slice(0, 9), () => response.destroy());
  };
  const { code } = await upload();
  expect([code, asked]).toEqual([0, 2]);
});

it('asks no further when nobody answers, or the server is busy for longer than two minutes', async () => {
  folder.writeBuild();
  answer = (response) => response.writeHead(503, { ...JSON_TYPE, 'retry-after': '121' }).end('{"code":"STORAGE_FULL"}');
  const refused = await upload();
  expect([refused.code, asked, refused.out.match(/not sent/g)?.length]).toEqual([1, 1, 2]);
  expect(refused.err).toContain('Run the command again later');
  await stopServer();
  const away = await upload('--json');
  const { maps: sent } = JSON.parse(away.out) as { maps: { outcome: string }[] };
  expect([away.code, sent.map(({ outcome }) => outcome)]).toEqual([1, ['failed', 'not-sent', 'not-sent']]);
  expect(away.err).toContain('run the command again when the server answers');
});
