import { expect, it } from 'vitest';
import { RouteNames } from './route-names.js';

it('names a request after its method, route and operation', () => {
  const names = new RouteNames();
  expect(names.of('GET', '/users/:id')).toBe('GET /users/:id');
  expect(names.of('POST', '/users/:id')).toBe('POST /users/:id');
  expect(names.of('GET', '/users/:id')).toBe('GET /users/:id');
  expect(names.of(undefined, '/')).toBe('GET /');
  expect(names.of('POST', '/graphql', 'Cart')).toBe('POST /graphql Cart');
  expect(names.of('POST', '/graphql')).toBe('POST /graphql');
});

it('names them rightly where there are more routes than it keeps', () => {
  const names = new RouteNames();
  for (let round = 0; round < 2; round += 1)
    for (let route = 0; route < 1_100; route += 1) expect(names.of('GET', `/made/${route}`)).toBe(`GET /made/${route}`);
});
