import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readCommands } from './read-commands.js';

const command = { id: '7', kind: 'record-lines', process: 'me', durationMs: 30_000 };

it('readCommands takes those of the closed set that are named for this process', () => {
  expect(readCommands({ commands: [command, { ...command, id: '8', process: 'other' }] }, 'me')).toEqual([
    { id: '7', kind: 'record-lines', durationMs: 30_000 },
  ]);
  expect(readCommands({ commands: [{ ...command, kind: 'raise-rate' }] }, 'me')[0]!.kind).toBe('raise-rate');
  for (const wrong of [
    { kind: 'run' },
    { id: '' },
    { id: 7 },
    { id: 'x'.repeat(101) },
    { durationMs: 999 },
    { durationMs: '60000' },
  ])
    expect(readCommands({ commands: [{ ...command, ...wrong }] }, 'me')).toEqual([]);
});

it('readCommands takes whose calls are counted, within bounds', () => {
  const calls = { id: '7', kind: 'count-calls', process: 'me', durationMs: 30_000, functions: ['price'], files: [] };
  const { process: _, ...taken } = calls;
  const twenty = Array.from({ length: 20 }, () => 'x'.repeat(200));
  expect(readCommands({ commands: [calls] }, 'me')).toEqual([taken]);
  expect(readCommands({ commands: [{ ...calls, files: twenty }] }, 'me')).toEqual([{ ...taken, files: twenty }]);
  for (const wrong of [
    { functions: undefined },
    { files: 'src' },
    { functions: [7] },
    { files: [''] },
    { functions: ['x'.repeat(201)] },
    { files: [...twenty, 'one'] },
  ])
    expect(readCommands({ commands: [{ ...calls, ...wrong }] }, 'me')).toEqual([]);
});

it('readCommands bounds what is asked', () => {
  expect(readCommands({ commands: [{ ...command, durationMs: 1e9 }] }, 'me')[0]!.durationMs).toBe(60_000);
  expect(readCommands({ commands: [{ ...command, durationMs: 1_000 }] }, 'me')[0]!.durationMs).toBe(1_000);
  const many = Array.from({ length: 100 }, (_, id) => ({ ...command, id: `${id}` }));
  expect(readCommands({ commands: many }, 'me')).toHaveLength(8);
});

it('readCommands survives whatever comes', () => {
  fc.assert(fc.property(fc.jsonValue(), (body) => readCommands(body, 'me').length === 0));
  fc.assert(fc.property(fc.array(fc.jsonValue()), (commands) => readCommands({ commands }, 'me').length === 0));
});
