import { afterEach, describe, expect, it } from 'vitest';
import { MAX_WAIT_FRAMES, captureStack, functionsOfStack } from './capture-stack.js';

const before = {
  stackTraceLimit: Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit'),
  prepareStackTrace: Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace'),
};
afterEach(() => {
  for (const name of ['stackTraceLimit', 'prepareStackTrace'] as const) {
    Reflect.deleteProperty(Error, name);
    if (before[name] !== undefined) Object.defineProperty(Error, name, before[name]);
  }
});

function operation() {
  return functionsOfStack(captureStack(operation));
}
async function caller() {
  await Promise.resolve();
  return operation();
}
function deep(depth: number): ReturnType<typeof operation> {
  return depth === 0 ? operation() : deep(depth - 1);
}
const names = (functions: ReturnType<typeof operation>) => functions.map(({ name }) => name);
const state = () => [
  Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit'),
  Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace'),
];

// The agent leaves its own folder out, and this file lies in it: what is left is the test runner.
describe('a captured stack', () => {
  it('leaves Error as it was', async () => {
    const [limit, prepare] = state();
    await caller();
    expect(state()).toEqual([limit, prepare]);
  });
  it('has at most 16 functions, the nearest ones', () => {
    expect(deep(40).length).toBeLessThanOrEqual(MAX_WAIT_FRAMES);
    expect(names(deep(40))).not.toContain('deep'); // ours
  });

  const getter = { get: () => 3, configurable: true, enumerable: false };
  const fixed = { value: 3, writable: false, configurable: true, enumerable: true };
  it.each([
    ['stackTraceLimit', 'is a getter', getter],
    ['stackTraceLimit', 'is fixed', fixed],
    ['stackTraceLimit', 'is missing', undefined],
    ['stackTraceLimit', 'is no number', { ...fixed, value: 'many', writable: true }],
    ['stackTraceLimit', 'is 0', { ...fixed, value: 0, writable: true }],
    ['prepareStackTrace', 'is a getter', getter],
    ['prepareStackTrace', 'is fixed', fixed],
    ['prepareStackTrace', 'is missing', undefined],
    [
      'prepareStackTrace',
      'throws',
      {
        configurable: true,
        enumerable: true,
        get: () => {
          throw new Error('of the host');
        },
      },
    ],
  ] as const)('is made without a trace where %s %s', (name, _, descriptor) => {
    Reflect.deleteProperty(Error, name);
    if (descriptor !== undefined) Object.defineProperty(Error, name, descriptor);
    const [limit, prepare] = state();
    expect(() => operation()).not.toThrow();
    expect(state()).toEqual([limit, prepare]);
  });
  it('is empty where the host has fixed prepareStackTrace, whose code is not run', () => {
    let calls = 0;
    Object.defineProperty(Error, 'prepareStackTrace', {
      value: () => (calls += 1),
      writable: false,
      configurable: true,
      enumerable: false,
    });
    expect(operation()).toEqual([]);
    expect(calls).toBe(0);
  });
});
