import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attribution } from './support/attribution.js';
import { runHost } from './support/run-host.js';
import { Sink, countsByName, labelTexts } from './support/sink.js';

let sink: Sink;
beforeEach(async () => {
  sink = await new Sink().open();
});
afterEach(() => sink.close());

const PER_KIND = 60;

describe('requests under load are named after their routes, never after URLs, and so are their samples', () => {
  it.each(['express-4', 'express-5', 'fastify-4', 'fastify-5', 'koa', 'hono', 'nest-express', 'nest-fastify'])(
    '%s',
    async (framework) => {
      const { output, errors, code } = await runHost('framework-load.mjs', sink.url, { args: [framework, String(PER_KIND)] });
      expect(code, errors).toBe(0);
      expect(JSON.parse(output)).toEqual({ 'users 200': 60, 'orgs 200': 60, 'fails 500': 60, 'nowhere 404': 60 });
      expect(countsByName(sink.stored)).toEqual({
        'GET /users/:id ok': PER_KIND,
        'GET /orgs/:org/orders/:id ok': PER_KIND,
        'GET /fails/:id error': PER_KIND,
        'GET (no route) ok': PER_KIND,
        ...(framework.startsWith('nest') ? { 'Users.fails error': PER_KIND } : {}), // whose @Transaction() leaves its route
      });
      const { checked, wrong } = attribution(sink.stored, { userWork: 'GET /users/:id', orderWork: 'GET /orgs/:org/orders/:id' });
      expect(checked).toBeGreaterThan(10);
      expect(wrong / checked).toBeLessThanOrEqual(0.01);
      expect(labelTexts(sink.stored).filter((text) => /\d{3}|acme|secret/.test(text))).toEqual([]);
      expect(sink.stored.map(({ report }) => report.lateLabels).filter((late) => late > 0)).toEqual([]);
    },
  );
});

it.each(['express-4', 'express'])('%s: what a handler makes of the URL is in no name', async (framework) => {
  const { output, errors, code } = await runHost('rewrites-url.mjs', sink.url, { args: [framework] });
  expect(code, errors).toBe(0);
  expect(JSON.parse(output)).toEqual([200, 200, 200, 200, 200, 500]);
  expect(countsByName(sink.stored)).toEqual({
    'GET /gateway/:service ok': 2,
    'GET /pages/:slug ok': 1,
    'GET /orders/:name ok': 2,
    'GET /orders/fails/:id error': 1,
  });
});

describe('GraphQL requests are named after their operations', () => {
  it.each(['graphql', 'graphql-16'])('%s', async (version) => {
    const { output, errors, code } = await runHost('graphql-server.mjs', sink.url, { args: [version] });
    expect(code, errors).toBe(0);
    expect(JSON.parse(output)).toEqual([{ user: 'user' }, { order: 'order' }, { rename: 'rename' }]);
    const counts = countsByName(sink.stored);
    expect(counts).toMatchObject({
      'POST /graphql query GetUser ok': 40,
      'POST /api/graph query GetOrder ok': 40,
      'POST /graphql mutation (anonymous) ok': 40,
    });
    const { checked, wrong } = attribution(sink.stored, {
      userWork: 'POST /graphql query GetUser',
      orderWork: 'POST /api/graph query GetOrder',
    });
    expect(checked).toBeGreaterThan(10);
    expect(wrong / checked).toBeLessThanOrEqual(0.01);
    const texts = labelTexts(sink.stored);
    expect(texts.filter((text) => text.includes('secret'))).toEqual([]);
    if (version === 'graphql') {
      expect(counts['nightly ok']).toBe(1);
      expect(texts).toContain('query (anonymous)');
    }
    expect(counts['__other__ ok']).toBeGreaterThan(0);
  });
});
