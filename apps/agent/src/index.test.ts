import { describe, expect, it } from 'vitest';
import { wrap } from './index.js';

describe('wrap', () => {
  it('keeps the name and the number of parameters: Express knows an error handler by its four', () => {
    const handleError = (_error: unknown, _request: unknown, _response: unknown, _next: unknown): void => {};
    const wrapped = wrap(handleError);
    expect([wrapped.name, wrapped.length]).toEqual(['handleError', 4]);
  });

  it('does not throw on options that are none', () => {
    expect(wrap((one: number) => one + 1, JSON.parse('null'))(1)).toBe(2);
  });
});
