import { arrowTotal, asyncArrow, Cart, generated, prices } from './cart.js';

/** Works for as many milliseconds as its first argument says, in every function there is. */
async function runEverything(milliseconds: number): Promise<number> {
  const until = Date.now() + milliseconds;
  let sum = 0;
  while (Date.now() < until) {
    const cart = Cart.create(3);
    sum += cart.addItem(4).totalPrice + cart.reveal(3) + arrowTotal([1, 2]) + (await asyncArrow(3));
    sum += prices.lookUp(2) + prices.byKey(4);
    for await (const one of generated(2)) sum += one;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return sum;
}

console.log(await runEverything(Number(process.argv[2] ?? 500)));
