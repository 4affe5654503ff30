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

it('expressRoute finds the mount path in the URL once an error has left the router, which takes it off the request', () => {
  const after = (path: unknown, url: string, baseUrl = ''): string | undefined =>
    routeOf({ route: { path }, baseUrl, url, originalUrl: baseUrl + url, params: {} });
  expect(after('/users/:id', '/orgs/7/users/8?secret=1')).toBe('/orgs/:id/users/:id');
  expect(after('/', '/health/?a=/b/c')).toBe('/health/');
  expect(after('/users/:id', '/users/8/')).toBe('/users/:id');
  expect(after('/users', '/v1/users', '/api')).toBe('/api/v1/users');
  // Not where the URL does not end as the route does, or the route has no fixed number of parts.
  expect(after('/users/:id', '/old/address/of/8')).toBe('/users/:id');
  expect(after('/users/:id', '*')).toBe('/users/:id');
  for (const path of ['/files/*path', '/a{/:b}', '/a/:b?', '/a/:b+', '/a(bc)', /^\/a$/, ['/a', '/b']]) {
    expect(after(path, '/x/y/a')).toBe(String(path));
  }
});

it('expressRoute takes nothing from a URL that the host has rewritten', () => {
  const rewritten = (url: string, baseUrl: string, originalUrl: string): string | undefined =>
    routeOf({ route: { path: '/users/:id' }, baseUrl, url, originalUrl, params: {} });
  // Middleware that takes the tenant off the URL, before the route and after an error of it.
  expect(rewritten('/users/8', '', '/tenant/acme/users/8')).toBe('/users/:id');
  expect(rewritten('/users/8', '/api', '/tenant/acme/api/users/8')).toBe('/api/users/:id');
  expect(rewritten('/api/users/8?a=b', '', '/tenant/acme/api/users/8?a=b')).toBe('/api/users/:id');
  expect(routeOf({ route: { path: '/' }, baseUrl: '', url: '/', originalUrl: '/a/secret', params: {} })).toBe('/');
});

it('expressRoute takes nothing from a URL that a handler rewrites, for a proxy or for what it passes the request on to', () => {
  const route = { path: '/:service' };
  const proxied = (url: string, originalUrl: string, params: object = {}, baseUrl = ''): string | undefined =>
    routeOf({ route, baseUrl, url, originalUrl, params });
  expect(proxied('/tenants/acme/billing', '/billing', { service: 'billing' })).toBe('/:service');
  expect(proxied('/pages/secret/index.html', '/secret')).toBe('/:service'); // passed on
  expect(proxied('/tenants/acme/billing', '/api/billing', {}, '/api')).toBe('/api/:service');
  expect(proxied('/tenants/acme/billing', '/billing?to=/tenants/acme/billing')).toBe('/:service');
  // A proxy that wants the URL as requested, which middleware had taken the tenant off.
  expect(proxied('/tenants/acme/billing', '/tenants/acme/billing', { service: 'billing' })).toBe('/:service');
  // Without the parameters it looks as if an error had left a router.
  expect(proxied('/tenants/acme/billing', '/tenants/acme/billing')).toBe('/tenants/acme/:service');
  // An error that leaves a router, where middleware has rewritten the URL: by a mount path that is known.
  expect(proxied('/orders', '/orders', { org: 'acme', service: 'orders' }, '/orgs/acme')).toBe('/orgs/:org/:service');
  expect(proxied('/orgs/other/orders', '/shops/other/orders')).toBe('/orgs/:org/:service');
});

it("expressRoute leaves parts of the mount path that equal a value of the route's own parameters", () => {
  const params = { name: 'orders', org: 'acme' };
  expect(routeOf({ route: { path: '/:name' }, baseUrl: '/orders', params })).toBe('/orders/:name');
  expect(routeOf({ route: { path: '/:name.:kind?' }, baseUrl: '/acme/orders', params })).toBe('/:org/orders/:name.:kind?');
  expect(routeOf({ route: { path: '/*name' }, baseUrl: '/orders', params })).toBe('/orders/*name');
  expect(routeOf({ route: { path: ['/a', '/b/:name'] }, baseUrl: '/orders', params })).toBe('/orders/a,/b/:name');
  expect(routeOf({ route: { path: '/:names' }, baseUrl: '/orders', params })).toBe('/:name/:names');
});

it('expressRoute names an error as the route was named before, whose parameters it takes off the request', () => {
  const route = { path: '/users/:id' };
  const failed = (url: string): string | undefined => routeOf({ route, baseUrl: '', url, originalUrl: url, params: {} });
  expect(failed('/orgs/acme/users/8')).toBe('/orgs/acme/users/:id'); // never reached yet
  expect(routeOf({ route, baseUrl: '/orgs/acme', url: '/users/8', params: { org: 'acme', id: '8' } })).toBe(
    '/orgs/:org/users/:id',
  );
  expect(failed('/orgs/other/users/8')).toBe('/orgs/:org/users/:id');
  expect(failed('/teams/other/users/8')).toBe('/teams/other/users/:id');
});
