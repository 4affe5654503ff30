import 'reflect-metadata';
import { expect, it } from 'vitest';
import { copyMetadata } from './copy-metadata.js';

it('copyMetadata takes over what decorators have said of a function, where reflect-metadata is loaded', () => {
  const theirs = (): void => {};
  const ours = (): void => {};
  Reflect.defineMetadata('path', '/orders/:id', theirs);
  Reflect.defineMetadata('method', 0, theirs);
  copyMetadata(theirs, ours);
  expect(Reflect.getOwnMetadataKeys(ours)).toEqual(['path', 'method']);
  expect(Reflect.getMetadata('path', ours)).toBe('/orders/:id');
});

it('copyMetadata does nothing where something else has its name', () => {
  const { getOwnMetadataKeys } = Reflect;
  Object.assign(Reflect, { getOwnMetadataKeys: () => 7 });
  try {
    expect(() => copyMetadata(Math.max, () => 1)).not.toThrow();
  } finally {
    Object.assign(Reflect, { getOwnMetadataKeys });
  }
});
