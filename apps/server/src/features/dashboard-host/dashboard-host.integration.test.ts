import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { startTestServer, type TestServer } from '../../../../../test/support/server.js';

let postgres: TestPostgres;
let server: TestServer;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await startTestServer({ role: 'api', databaseUrl: postgres.url });
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});

const get = (path: string) => fetch(server.url + path);

describe('the dashboard', () => {
  it.each(['/', '/explore?service=shop', '/compare/1', '/install', '/install?service=shop'])(
    'is the page behind %s, and is asked for again each time',
    async (path) => {
      const answer = await get(path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
      expect(answer.headers.get('cache-control')).toBe('no-cache');
    },
  );

  it('keeps its hashed files in the browser, and allows scripts of its own only', async () => {
    const page = await get('/');
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'self'/);
    expect(page.headers.get('content-security-policy')).not.toMatch(/script-src[^;]*unsafe/);
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(await page.text())![1]!;
    const answer = await get(script);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toMatch(/immutable/);
  });

  it.each(['/api/v1/nothing', '/api/nothing', '/install/nothing', '/assets/of-the-release-before.js'])(
    'is not the answer to %s',
    async (path) => {
      const answer = await get(path);
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ code: 'NOT_FOUND' });
    },
  );
});
