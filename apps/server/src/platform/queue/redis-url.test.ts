import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from './redis-url.js';

describe('parseRedisUrl', () => {
  it.each(['redis://127.0.0.1:6379', 'rediss://user:secret@redis.example:6380/2'])('takes %s as one server', (url) => {
    expect(parseRedisUrl(url)).toEqual({ kind: 'single', url });
  });

  it('takes some nodes of a cluster', () => {
    expect(parseRedisUrl('redis-cluster://a:7001,b,[::1]:7003')).toEqual({
      kind: 'cluster',
      nodes: [
        { host: 'a', port: 7001 },
        { host: 'b', port: 6379 },
        { host: '::1', port: 7003 },
      ],
      username: undefined,
      password: undefined,
      transport: 'plain',
    });
  });

  it('takes the one address that a hosted cluster has, with TLS, user and password', () => {
    expect(parseRedisUrl('rediss-cluster://hearth:p%40ss@cluster.example:6380')).toEqual({
      kind: 'cluster',
      nodes: [{ host: 'cluster.example', port: 6380 }],
      username: 'hearth',
      password: 'p@ss',
      transport: 'tls',
    });
    expect(parseRedisUrl('redis-cluster://:secret@a')).toMatchObject({ username: undefined, password: 'secret' });
  });

  it.each([
    'localhost:6379',
    'redis-cluster://',
    'redis-cluster://a,',
    'redis-cluster://a:70000',
    'redis-cluster://a/3',
    'valkey://a',
  ])('refuses %s', (text) => {
    expect(parseRedisUrl(text)).toBeUndefined();
  });
});
