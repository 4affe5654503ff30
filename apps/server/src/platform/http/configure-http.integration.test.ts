import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer, type TestAnswer } from '../../../../../test/support/query-server.js';

let postgres: TestPostgres;
let server: QueryServer;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await QueryServer.start(postgres.url);
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});

const invalid = (answer: TestAnswer<unknown>) => expect(answer).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });

describe('a text that Postgres cannot hold is refused', () => {
  it('in a query', async () => {
    invalid(await server.get('/api/v1/deploys?service=a%00b&from=now-1h&until=now'));
  });
  it('in a JSON body', async () => {
    invalid(await server.post('/api/v1/deploys', { service: 'a\0b', environment: 'e', revision: 'r' }));
    invalid(await server.post('/api/v1/projects', { name: 'a\0b' }));
  });
});

describe('a JSON body', () => {
  it('of a profile is left to the reader of profiles', async () => {
    // Above the megabyte that other routes read.
    const profile = {
      nodes: [
        {
          id: 1,
          callFrame: { functionName: '(root)', scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 },
          children: [2],
        },
        { id: 2, callFrame: { functionName: 'main', scriptId: '1', url: 'file:///main.js', lineNumber: 0, columnNumber: 0 } },
      ],
      startTime: 0,
      endTime: 200_000_000,
      samples: Array.from({ length: 200_000 }, () => 2),
      timeDeltas: Array.from({ length: 200_000 }, () => 1000),
    };
    const answer = await server.post('/api/v1/profiles?service=shop', profile);
    expect(answer).toMatchObject({ status: 202, body: { accepted: 1 } });
  });
  it('of any other route is at most a megabyte', async () => {
    const answer = await server.post('/api/v1/projects', { name: 'x'.repeat(2 ** 20) });
    expect(answer).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
  });
});

it('keeps an idle connection for longer than load balancers do', async () => {
  const answer = await fetch(`${server.address.url}/health`);
  expect(answer.headers.get('keep-alive')).toBe('timeout=65');
});
