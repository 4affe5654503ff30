import { setTimeout as delay } from 'node:timers/promises';
import { products } from '../catalog/products.js';

/** How long the session store takes to answer. */
const STORE_DELAY_MS = 2;
const carts = new Map();

/** The cart of a customer. A cart `c<n>` that nobody has touched holds 1 to 8 products, by its number. */
export async function loadCart(cartId) {
  await delay(STORE_DELAY_MS);
  if (!carts.has(cartId)) carts.set(cartId, firstCart(Number(cartId.slice(1)) || 0));
  return carts.get(cartId);
}

/** Puts one more product into a cart; a full cart loses its oldest one, so that carts do not grow for ever. */
export async function addToCart(cartId, productId) {
  const cart = await loadCart(cartId);
  const fullAt = cart.items.length;
  cart.items.push(products.find(({ id }) => id === productId) ?? products[0]);
  while (cart.items.length > fullAt) cart.items.shift();
  return cart;
}

function firstCart(number) {
  const items = Array.from({ length: 1 + (number % 8) }, (_, index) => products[(number * 31 + index * 7) % products.length]);
  return { id: `c${number}`, items };
}
