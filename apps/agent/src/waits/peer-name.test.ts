import { describe, expect, it } from 'vitest';
import { methodName, peerName } from './peer-name.js';

describe('peerName', () => {
  it.each([
    ['http://user:secret@Payments.internal:8080/path?secret=1', 'payments.internal'],
    ['https://api.example.com', 'api.example.com'],
    ['localhost:3000', 'localhost'],
    ['http://10.0.0.17:80', '(address)'],
    ['http://[::1]:80', '(address)'],
    ['::1', '(address)'],
    ['http://f81d4fae-7dec-11d0-a765-00a0c91e6bf6.hooks.example.com', '*.hooks.example.com'],
    ['tenant-20417.example.com', '*.example.com'],
    ['deadbeefcafe.s3.amazonaws.com', '*.s3.amazonaws.com'],
    ['eu-west-1.example.com', 'eu-west-1.example.com'],
    ['http://a@b@c.de', 'c.de'],
    ['http://<script>', '(unknown)'],
    ['', '(unknown)'],
    [undefined, '(unknown)'],
    [new URL('http://a.b/secret'), 'a.b'],
  ])('of %s is %s', (host, name) => {
    expect(peerName(host)).toBe(name);
    expect(peerName(host)).toBe(name);
  });

  it('is the same again after many others', () => {
    const names = (): string[] =>
      Array.from({ length: 1_200 }, (_, at) => peerName(`https://shard${at % 600}.a${at}.example:443`));
    const first = names();
    expect(first.slice(0, 2)).toEqual(['shard0.a0.example', 'shard1.a1.example']);
    expect(names()).toEqual(first);
    expect(peerName(`${'z'.repeat(400)}.example`)).toBe('z'.repeat(100));
    expect(peerName(`${'z'.repeat(400)}.other`)).toBe('z'.repeat(100));
  });
});

describe('methodName', () => {
  it('knows the methods there are', () => {
    expect(['get', 'POST', undefined, 'SECRET'].map(methodName)).toEqual(['GET', 'POST', 'GET', '(other)']);
  });
});
