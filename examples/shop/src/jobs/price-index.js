import { setImmediate as nextTurn } from 'node:timers/promises';
import { bucket, tag, transaction } from '@hearth/agent';
import { products } from '../catalog/products.js';

const CHUNK = 120;

/** Rebuilds the price index again and again, as other shops do at night. @returns Stops it. */
export function startPriceIndex(intervalMs) {
  const timer = setInterval(() => {
    void transaction('rebuild price index', rebuildPriceIndex);
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** A transaction of its own, in chunks, so that requests are answered in between. */
async function rebuildPriceIndex() {
  tag({ job: 'price-index', items: bucket(products.length) });
  const index = new Map();
  for (let from = 0; from < products.length; from += CHUNK) {
    indexPrices(index, products.slice(from, from + CHUNK));
    await nextTurn();
  }
  return index.size;
}

/** Prices in every currency step, so that "up to 100" is one look-up. */
function indexPrices(index, chunk) {
  for (const { id, priceCents } of chunk) {
    for (let step = 1; step <= 60; step += 1) {
      const key = Math.round((priceCents * (1 + step / 100)) / 500);
      const ids = index.get(key);
      if (ids === undefined) index.set(key, [id]);
      else ids.push(id);
    }
  }
}
