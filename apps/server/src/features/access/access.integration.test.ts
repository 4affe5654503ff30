import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { startTestServer, type TestServer } from '../../../../../test/support/server.js';

let postgres: TestPostgres;
let server: TestServer;
const keys: Record<string, string> = {};
let cookie = '';

beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await startTestServer({ role: 'api', databaseUrl: postgres.url });
  for (const kind of ['ingest', 'read', 'admin']) {
    const answer = await call('POST', '/api/v1/api-keys', { authorization: `Bearer ${server.key}` }, { name: kind, kind });
    keys[kind] = ((await answer.json()) as { key: string }).key;
  }
  const signedIn = await signIn(server.adminEmail, server.adminPassword);
  cookie = signedIn.headers.get('set-cookie')!.split(';')[0]!;
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});

function call(method: string, path: string, headers: Record<string, string> = {}, body?: object): Promise<Response> {
  return fetch(server.url + path, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

function signIn(email: string, password: string): Promise<Response> {
  return call('POST', '/api/v1/sessions', {}, { email, password });
}

async function codeOf(answer: Response): Promise<string> {
  return ((await answer.json()) as { code: string }).code;
}

/** What each kind of route lets through: [method, path, who may call]. A body that is wrong comes after the question who calls. */
const ROUTES: [string, string, string[]][] = [
  ['POST', '/api/v1/batches', ['ingest', 'admin', 'session']],
  ['POST', '/api/v1/profiles?service=x', ['ingest', 'admin', 'session']],
  ['POST', '/ingest?name=x', ['ingest', 'admin', 'session']],
  ['POST', '/pyroscope/ingest?name=x', ['ingest', 'admin', 'session']],
  ['POST', '/api/v1/deploys', ['ingest', 'admin', 'session']],
  ['GET', '/api/v1/deploys', ['read', 'admin', 'session']],
  ['GET', '/api/v1/services', ['read', 'admin', 'session']],
  ['GET', '/api/v1/flame-graph?service=x', ['read', 'admin', 'session']],
  ['GET', '/api/v1/export?service=x', ['read', 'admin', 'session']],
  ['POST', '/api/v1/comparisons', ['read', 'admin', 'session']],
  ['GET', '/api/v1/projects', ['read', 'admin', 'session']],
  ['POST', '/api/v1/projects', ['admin', 'session']],
  ['GET', '/api/v1/api-keys', ['admin', 'session']],
  ['POST', '/api/v1/api-keys', ['admin', 'session']],
  ['DELETE', '/api/v1/api-keys/999', ['admin', 'session']],
];

describe('who may call what', () => {
  it.each(ROUTES)('%s %s', async (method, path, allowed) => {
    expect(await call(method, path).then(({ status }) => status)).toBe(401);
    expect(await call(method, path, { authorization: 'Bearer wrong' }).then(({ status }) => status)).toBe(401);
    for (const caller of ['ingest', 'read', 'admin', 'session']) {
      const headers: Record<string, string> = caller === 'session' ? { cookie } : { authorization: `Bearer ${keys[caller]}` };
      const { status } = await call(method, path, headers);
      expect([caller, status === 401 || status === 403 ? 'refused' : 'let in']).toEqual([
        caller,
        allowed.includes(caller) ? 'let in' : 'refused',
      ]);
    }
  });

  it.each(['/healthz', '/readyz', '/metrics', '/api/openapi.json'])('%s is open to everybody', async (path) => {
    expect((await call('GET', path)).status).toBe(200);
  });

  it('takes the key as the password of Basic, with any user name, as Pyroscope clients send it', async () => {
    const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
    expect((await call('GET', '/api/v1/projects', basic(`anybody:${keys['read']}`))).status).toBe(200);
    expect((await call('GET', '/api/v1/projects', basic(`:${keys['read']}`))).status).toBe(200);
    expect((await call('GET', '/api/v1/projects', basic(`${keys['read']}:`))).status).toBe(200);
    expect((await call('GET', '/api/v1/projects', basic('anybody:wrong'))).status).toBe(401);
  });

  it('shows a key of one project nothing of another', async () => {
    const made = (await (await call('POST', '/api/v1/projects', { cookie }, { name: 'second' })).json()) as { id: string };
    const other = (await (
      await call('POST', `/api/v1/api-keys?project=${made.id}`, { cookie }, { name: 'x', kind: 'admin' })
    ).json()) as { key: string };
    await call(
      'POST',
      '/api/v1/deploys',
      { authorization: `Bearer ${other.key}` },
      { service: 'theirs', environment: 'e', revision: 'r' },
    );
    const listed = (project: string) =>
      call('GET', '/api/v1/deploys?from=now-1h&until=now', { authorization: `Bearer ${project}` }).then((answer) =>
        answer.json(),
      );
    expect(await listed(other.key)).toMatchObject([{ service: 'theirs' }]);
    expect(await listed(keys['read']!)).toEqual([]);
    expect(
      await call('GET', '/api/v1/projects', { authorization: `Bearer ${other.key}` }).then((answer) => answer.json()),
    ).toEqual([{ id: made.id, name: 'second' }]);
    expect(await codeOf(await call('GET', '/api/v1/deploys?project=999', { cookie }))).toBe('PROJECT_UNKNOWN');
  });

  it('forgets a deleted key at once on the server that deleted it', async () => {
    const { id, key } = (await (
      await call('POST', '/api/v1/api-keys', { cookie }, { name: 'short-lived', kind: 'read' })
    ).json()) as { id: string; key: string };
    expect((await call('GET', '/api/v1/projects', { authorization: `Bearer ${key}` })).status).toBe(200);
    expect((await call('DELETE', `/api/v1/api-keys/${id}`, { cookie })).status).toBe(204);
    expect((await call('GET', '/api/v1/projects', { authorization: `Bearer ${key}` })).status).toBe(401);
    const listed = (await (await call('GET', '/api/v1/api-keys', { cookie })).json()) as object[];
    expect(JSON.stringify(listed)).not.toContain(key);
    expect(listed).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'read', kind: 'read', prefix: keys['read']!.slice(0, 10) })]),
    );
  });
});

describe('sessions', () => {
  it('are set in a cookie that scripts and other sites cannot use, and end with sign-out', async () => {
    const answer = await signIn(server.adminEmail.toUpperCase(), server.adminPassword);
    expect(await answer.json()).toMatchObject({
      user: { email: server.adminEmail, role: 'admin' },
      projects: expect.arrayContaining([{ id: '1', name: 'default' }]),
    });
    expect(answer.headers.get('set-cookie')).toMatch(/^hearth_session=[\w-]{43}; .*Path=\/; .*HttpOnly; SameSite=Strict$/);
    const own = { cookie: answer.headers.get('set-cookie')!.split(';')[0]! };
    expect((await call('GET', '/api/v1/sessions/current', own)).status).toBe(200);
    expect((await call('DELETE', '/api/v1/sessions/current', own)).status).toBe(204);
    expect((await call('GET', '/api/v1/sessions/current', own)).status).toBe(401);
  });

  it('do nothing for a page of another origin', async () => {
    const post = (headers: Record<string, string>) =>
      call('POST', '/api/v1/projects', { cookie, ...headers }, { name: 'p' }).then(({ status }) => status);
    expect(await post({ origin: 'https://evil.example' })).toBe(403);
    expect(await post({ origin: 'null' })).toBe(403);
    expect(await post({ 'sec-fetch-site': 'same-site' })).toBe(403);
    expect(await post({ origin: server.url })).toBe(201);
    expect(await post({ 'sec-fetch-site': 'same-origin' })).toBe(201);
  });

  it('are refused for a wrong password as for a user nobody knows, and after ten tries for a minute', async () => {
    expect(await codeOf(await signIn(server.adminEmail, 'wrong-password'))).toBe('SIGN_IN_REFUSED');
    expect(await codeOf(await signIn('nobody@localhost', 'wrong-password'))).toBe('SIGN_IN_REFUSED');
    let refused: Response | undefined;
    for (let tries = 0; tries < 10 && refused === undefined; tries += 1) {
      const answer = await signIn(server.adminEmail, 'wrong-password');
      if (answer.status === 429) refused = answer;
    }
    expect(await codeOf(refused!)).toBe('TOO_MANY_REQUESTS');
    expect(Number(refused!.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('a start', () => {
  it('after the first leaves a deleted bootstrap key deleted', async () => {
    const databaseUrl = await postgres.createDatabase();
    const first = await startTestServer({ role: 'api', databaseUrl });
    const headers = { authorization: `Bearer ${first.key}` };
    const listed = (await (await fetch(`${first.url}/api/v1/api-keys`, { headers })).json()) as { id: string; name: string }[];
    const { id } = listed.find(({ name }) => name === 'bootstrap')!;
    expect((await fetch(`${first.url}/api/v1/api-keys/${id}`, { method: 'DELETE', headers })).status).toBe(204);
    await first.stop();
    const second = await startTestServer({ role: 'api', databaseUrl });
    const { status } = await fetch(`${second.url}/api/v1/projects`, { headers });
    await second.stop();
    expect(status).toBe(401);
  });
});
