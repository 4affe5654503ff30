import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readdir, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, join, relative } from 'node:path';
import type { Problem } from '@hearth/query-contract';
import { answerTo, session } from './fixture-answers.js';
import { GONE_RUN } from './made-runs.js';

const DIST = new URL('../../apps/dashboard/dist/', import.meta.url).pathname;
const MEDIA: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
/** As strict as the real server, so that what breaks there breaks here. */
const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; object-src 'none'; frame-ancestors 'none'";

export interface FixtureServer {
  readonly url: string;
  /** A service that was not there before begins to send. */
  addService(name: string): void;
  /** Every API request fails like this until it is taken back. */
  failWith(problem: Problem | undefined): void;
  /** Every API answer waits. */
  delayMs: number;
  close(): Promise<void>;
}

/** The built dashboard over made answers: no database, no worker, starts at once. Any e-mail signs in with the password `hearth`. */
export async function startFixtureServer(options: { services?: 'shop' | 'none' } = {}): Promise<FixtureServer> {
  const state = {
    extra: [] as string[],
    problem: undefined as Problem | undefined,
    signedIn: new Set<string>(),
    services: options.services ?? 'shop',
  };
  const build = await readBuild();
  const handle = { delayMs: 0 };
  const server = createServer((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, 'http://fixture');
    if (!url.pathname.startsWith('/api/')) return sendFile(build, url.pathname, response);
    if (handle.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, handle.delayMs));
    const route = `${request.method} ${url.pathname.slice('/api/v1'.length)}`;
    if (state.problem && !route.includes('/sessions')) return sendProblem(response, state.problem);
    const body = request.method === 'POST' ? (JSON.parse(await text(request)) as Record<string, unknown>) : {};
    if (route === 'POST /sessions') {
      if (body['password'] !== 'hearth')
        return sendProblem(response, problem(401, 'SIGN_IN_REFUSED', 'no user with this address and password'));
      response.setHeader('set-cookie', 'fixture=1; Path=/; HttpOnly; SameSite=Strict');
      return sendJson(response, session);
    }
    if (!(request.headers.cookie ?? '').includes('fixture=1'))
      return sendProblem(response, problem(401, 'UNAUTHENTICATED', 'sign in'));
    if (route === 'DELETE /sessions/current') {
      response.setHeader('set-cookie', 'fixture=; Path=/; Max-Age=0');
      response.writeHead(204).end();
      return;
    }
    if (route === 'GET /lines' && url.searchParams.get('process') === 'silent')
      return sendProblem(response, problem(404, 'LINES_NOT_RECORDED', 'no lines were recorded'));
    if (route.endsWith(`/${GONE_RUN}`))
      return sendProblem(
        response,
        problem(410, 'EXEMPLAR_EXPIRED', 'it was of 200 days ago, and transactions are kept for fewer'),
      );
    const made = answerTo(route, url.searchParams, body, state);
    if (made === undefined) return sendProblem(response, problem(404, 'NOT_FOUND', `the fixture has no ${route}`));
    return sendJson(response, made);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(handle, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    addService: (name: string) => void state.extra.push(name),
    failWith: (next: Problem | undefined) => void (state.problem = next),
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}

function problem(status: number, code: string, detail: string): Problem {
  return { type: `https://hearth.invalid/errors#${code}`, title: code.replaceAll('_', ' ').toLowerCase(), status, code, detail };
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function sendProblem(response: ServerResponse, value: Problem): void {
  response.writeHead(value.status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(value));
}

/** The whole build, read once: a build that runs meanwhile takes no file away. */
async function readBuild(): Promise<ReadonlyMap<string, Buffer>> {
  const files = (await readdir(DIST, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name));
  return new Map(
    await Promise.all(paths.map(async (path): Promise<[string, Buffer]> => [`/${relative(DIST, path)}`, await readFile(path)])),
  );
}

/** A file of the build; every other path is a page of the dashboard. */
function sendFile(build: ReadonlyMap<string, Buffer>, path: string, response: ServerResponse): void {
  const name = extname(path) === '' ? '/index.html' : path;
  const bytes = build.get(name);
  if (!bytes) {
    response.writeHead(404).end();
    return;
  }
  response
    .writeHead(200, { 'content-type': MEDIA[extname(name)] ?? 'application/octet-stream', 'content-security-policy': POLICY })
    .end(bytes);
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
