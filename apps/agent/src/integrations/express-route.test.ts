import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { expressRoute } from './express-route.js';

const routeOf = (request: object): string | undefined => expressRoute(request as IncomingMessage);

it('expressRoute puts the parameters of the mount path back', () => {
  expect(routeOf({})).toBeUndefined();
  expect(routeOf({ route: undefined, baseUrl: '/x' })).toBeUndefined();
  expect(routeOf({ route: { path: '/users/:id' }, baseUrl: '', params: { id: '7' } })).toBe('/users/:id');
  expect(routeOf({ route: { path: '/users/:id' }, baseUrl: '/orgs/a%20b', params: { org: 'a b', id: '7' } })).toBe(
    '/orgs/:org/users/:id',
  );
  expect(routeOf({ route: { path: /^\/a/ }, baseUrl: '/%', params: {} })).toBe('/%/^\\/a/');
});

it('expressRoute hides ids that the router cannot name', () => {
  const route = { path: '/users' };
  expect(routeOf({ route, baseUrl: '/teams/42' })).toBe('/teams/:id/users');
  expect(routeOf({ route, baseUrl: '/teams/0b5cdb0e-0000-4000-8000-0123456789ab' })).toBe('/teams/:id/users');
  expect(routeOf({ route, baseUrl: '/v2/api' })).toBe('/v2/api/users');
});
