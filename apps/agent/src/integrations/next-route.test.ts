import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { nextRoute } from './next-route.js';

it('nextRoute reads what Next.js leaves on a request, and nothing else', () => {
  const routeWith = (meta: unknown): string | undefined =>
    nextRoute(Object.assign(new IncomingMessage(new Socket()), { [Symbol.for('NextInternalRequestMeta')]: meta }));
  expect(routeWith({ match: { definition: { pathname: '/orders/[id]' } } })).toBe('/orders/[id]');
  expect(routeWith({ match: { definition: { pathname: '/_not-found' } } })).toBeUndefined();
  for (const meta of [undefined, {}, { match: null }, { match: {} }, { match: { definition: { pathname: 7 } } }])
    expect(routeWith(meta)).toBeUndefined();
});
