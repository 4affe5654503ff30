import { expect, it } from 'vitest';
import { outcomeOfError } from './outcome.js';

it('outcomeOfError reads names and codes, whatever was thrown', () => {
  expect(outcomeOfError(AbortSignal.timeout(0) && new DOMException('late', 'TimeoutError'))).toBe('timeout');
  expect(outcomeOfError(Object.assign(new Error('slow'), { code: 'ETIMEDOUT' }))).toBe('timeout');
  expect(outcomeOfError(new DOMException('given up', 'AbortError'))).toBe('aborted');
  for (const thrown of [new Error('x'), 'text', undefined, null, 7]) expect(outcomeOfError(thrown)).toBe('error');
});

it('outcomeOfError takes what cannot be read as an error', () => {
  const thrower = {
    get code(): unknown {
      throw new TypeError('of the getter');
    },
  };
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const thrown of [thrower, proxy]) expect(outcomeOfError(thrown)).toBe('error');
});
