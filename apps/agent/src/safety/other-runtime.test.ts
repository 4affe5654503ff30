import { expect, it } from 'vitest';
import { otherRuntime } from './other-runtime.js';

it('otherRuntime names what pretends to be Node', () => {
  expect(otherRuntime({ node: '24.3.0', bun: '1.3.1' })).toBe('Bun');
  expect(otherRuntime({ node: '24.2.0', deno: '2.5.0' })).toBe('Deno');
  expect(otherRuntime(process.versions)).toBeUndefined();
});
