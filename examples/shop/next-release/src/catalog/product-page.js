import { readFile } from 'node:fs/promises';
import { relatedProducts } from '../recommendations/related-products.js';

const TEMPLATE = new URL('../../templates/product.html', import.meta.url);

/** Everything that is shown of one product; `stock` as the warehouse answered. */
export async function productPage(product, stock) {
  const template = await readFile(TEMPLATE, 'utf8');
  const related = relatedProducts(product, 6);
  return fillTemplate(template, {
    name: product.name,
    description: product.description,
    price: (product.priceCents / 100).toFixed(2),
    stock: stock > 0 ? `${stock} in stock` : 'sold out',
    related: related.map(({ id, name, likeness }) => `<a href="/products/${id}">${name} (${likeness.toFixed(3)})</a>`).join(' '),
    offers: monthlyOffers(product),
  });
}

/** What the product costs when it is paid over 2 to 60 months. */
function monthlyOffers(product) {
  const rows = [];
  for (let months = 2; months <= 60; months += 1) {
    let owedCents = product.priceCents;
    const rateCents = Math.ceil((product.priceCents * (1 + 0.004 * months)) / months);
    for (let month = 0; month < months && owedCents > 0; month += 1) owedCents = owedCents * 1.003 - rateCents;
    rows.push(`<tr><td>${months}</td><td>${(rateCents / 100).toFixed(2)}</td><td>${(-owedCents / 100).toFixed(2)}</td></tr>`);
  }
  return rows.join('');
}

function fillTemplate(template, values) {
  return template.replace(/\{\{(\w+)\}\}/g, (_, name) => values[name] ?? '');
}
