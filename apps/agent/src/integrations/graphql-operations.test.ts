import { expect, it } from 'vitest';
import { MAX_OPERATIONS, OperationNames, operationOf } from './graphql-operations.js';

it('OperationNames keeps 300 operations of a process, and shows nothing that is no name', () => {
  const names = new OperationNames();
  for (let at = 1; at < MAX_OPERATIONS; at += 1) names.nameOf('query', `Get${at}`);
  expect(names.nameOf('query', 'Last')).toBe('query Last');
  expect(names.nameOf('query', 'OneTooMany')).toBe('query (other)');
  expect(names.nameOf('query', 'Get1')).toBe('query Get1');
  const others = new OperationNames();
  expect(others.nameOf('mutation', undefined)).toBe('mutation (anonymous)');
  expect([100, 101].map((length) => others.nameOf('query', 'a'.repeat(length)).length)).toEqual([
    106,
    'query (anonymous)'.length,
  ]);
  expect(others.nameOf('query', 'id: "secret"')).toBe('query (anonymous)');
  expect(others.nameOf({}, 7)).toBe('operation (anonymous)');
});

it('operationOf finds the named operation, or the only one', () => {
  const operation = (name?: string) => ({
    kind: 'OperationDefinition',
    operation: 'query',
    ...(name === undefined ? {} : { name: { value: name } }),
  });
  const fragment = { kind: 'FragmentDefinition', name: { value: 'B' } };
  const [a, b] = [operation('A'), operation('B')];
  expect(operationOf({ definitions: [fragment, a, b] }, 'B')).toBe(b);
  expect(operationOf({ definitions: [fragment, a] }, undefined)).toBe(a);
  expect(operationOf({ definitions: [a, b] }, undefined)).toBeUndefined();
  expect(operationOf({ definitions: [a] }, 'C')).toBeUndefined();
  for (const document of [undefined, null, {}, { definitions: 7 }, 'text']) expect(operationOf(document, 'A')).toBeUndefined();
});
