import { describe, expect, it } from 'vitest';
import { methodDecorator, nameOfCall } from './method-decorator.js';

class Shop {
  static open(): void {}
}
const withoutClass = Object.create(null) as object;
const hostile = {
  get constructor(): never {
    throw new Error('no');
  },
};

describe('nameOfCall', () => {
  it.each<[string, unknown, string]>([
    ['an object of a class', new Shop(), 'Shop.open'],
    ['a class', Shop, 'Shop.open'],
    ['a plain object', {}, 'open'],
    ['an object of no class', withoutClass, 'open'],
    ['nothing', undefined, 'open'],
    ['an object that defends itself', hostile, 'open'],
  ])('names a call on %s', (_, self, expected) => {
    expect(nameOfCall(self, 'open')).toBe(expected);
  });
});

describe('methodDecorator', () => {
  it('leaves alone what is no method', () => {
    const decorator = methodDecorator(() => {
      throw new Error('nothing to decorate');
    });
    const accessor = { get: () => 1, configurable: true };
    decorator({}, 'name', accessor);
    expect(accessor.get()).toBe(1);
  });
});
