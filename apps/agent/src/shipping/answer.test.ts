import { expect, it } from 'vitest';
import { verdictOf } from './answer.js';

const kindOf = (status: number, body = '', retryAfter?: string): string => verdictOf({ status, body, retryAfter }, 0).kind;

it('verdictOf acknowledges only what Hearth itself has stored', () => {
  expect(kindOf(202, '{"accepted":1,"duplicates":0,"rejected":[]}')).toBe('stored');
  expect(kindOf(202, '{"accepted":0,"duplicates":1,"rejected":[]}')).toBe('stored');
  expect(kindOf(202, '{"accepted":0,"duplicates":0,"rejected":[{"code":"X","count":1}]}')).toBe('refused');
  expect(verdictOf({ status: 202, body: '{"accepted":1,"commands":[1]}', retryAfter: undefined }, 0)).toEqual({
    kind: 'stored',
    body: { accepted: 1, commands: [1] },
  });
  for (const body of ['', '<html>', 'null', '{}', '[]', '{"accepted":"1"}'])
    expect([body, kindOf(200, body)]).toEqual([body, 'wrong-address']);
});

it('verdictOf tells what to drop, what to try later, and what only a person can change', () => {
  expect([400, 413, 415, 422, 409].map((status) => kindOf(status))).toEqual(Array(5).fill('refused'));
  expect([408, 425, 429, 500, 502, 503, 504].map((status) => kindOf(status))).toEqual(Array(7).fill('try-later'));
  expect([401, 403].map((status) => kindOf(status))).toEqual(['key-refused', 'key-refused']);
  expect([301, 302, 404, 405].map((status) => kindOf(status))).toEqual(Array(4).fill('wrong-address'));
  expect(verdictOf({ status: 503, body: '', retryAfter: '3' }, 0)).toMatchObject({ retryAfterMs: 3_000 });
});
