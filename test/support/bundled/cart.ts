import { tax } from './tax.js';

/** Every kind of function that a bundler renames, or might. */
export class Cart {
  #prices: number[] = [];
  constructor(count: number) {
    for (let item = 0; item < count; item += 1) this.#prices.push(spin(item));
  }
  addItem(price: number): this {
    this.#prices.push(spin(price));
    return this;
  }
  static create(count: number): Cart {
    return new Cart(count + spin(2));
  }
  get totalPrice(): number {
    return this.#prices.reduce((sum, price) => sum + spin(price), 0);
  }
  #hiddenPrice(value: number): number {
    return spin(value);
  }
  reveal(value: number): number {
    return this.#hiddenPrice(value);
  }
}

export function spin(seed: number): number {
  let spun = seed;
  for (let turn = 0; turn < 30_000; turn += 1) spun += Math.sqrt(spun * turn);
  return spun % 7;
}

export const arrowTotal = (values: readonly number[]): number => {
  let sum = 0;
  for (const value of values) sum += spin(value) + tax(value);
  return sum;
};

export const asyncArrow = async (amount: number): Promise<number> => {
  await Promise.resolve();
  return spin(amount) + expressed(amount);
};

const expressed = function (amount: number): number {
  return spin(amount);
};

export const prices = {
  lookUp(key: number) {
    return spin(key);
  },
  byKey: (key: number) => spin(key),
};

export async function* generated(limit: number): AsyncGenerator<number> {
  for (let turn = 0; turn < limit; turn += 1) yield spin(turn);
}
