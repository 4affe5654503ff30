// Pages of the catalog.
//
// Sorted in memory: 480 products are few. Rendered as one string: a template engine took longer than the sorting.
// Colours and sizes are those of the style sheet; the bars are 24 px high.

import { products } from './products.js';

const PAGE_LENGTH = 120;

/** One page of the catalog as HTML, sorted by `price`, `weight` or `name`. */
export function catalogPage(sortBy, page) {
  return renderCatalogPage(sortCatalog(sortBy).slice(page * PAGE_LENGTH, (page + 1) * PAGE_LENGTH));
}

function sortCatalog(sortBy) {
  const keyed = products.map((product) => {
    // Prices end alike; the name decides then.
    const tail = product.name.split(' ').reverse().join(' ');
    const key = sortBy === 'price' ? product.priceCents : sortBy === 'weight' ? product.weightGrams : 0;
    return { key: `${String(key).padStart(8, '0')} ${tail}`, product };
  });
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ product }) => product);
}

function renderCatalogPage(shown) {
  let html = '<ul>';
  for (const product of shown) {
    let bars = '';
    for (const trait of product.traits) bars += `<i style="height:${(trait * 24).toFixed(1)}px"></i>`;
    html += `<li><a href="/products/${product.id}">${escapeHtml(product.name)}</a><p>${escapeHtml(product.description)}</p>`;
    html += `<b>${(product.priceCents / 100).toFixed(2)}</b><span>${bars}</span></li>`;
  }
  return `${html}</ul>`;
}

function escapeHtml(text) {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
