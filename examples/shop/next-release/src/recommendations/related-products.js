import { products } from '../catalog/products.js';

/** The products most like `product`, by the angle between what they are like. */
export function relatedProducts(product, count) {
  const nearest = [];
  for (const other of products) {
    let dot = 0;
    let lengthA = 0;
    let lengthB = 0;
    // Recent fashion counts more than old: weights fall along the vector, one pass per season.
    for (let season = 0; season < 32; season += 1) {
      const fade = 1 / (1 + season);
      for (let trait = 0; trait < product.traits.length; trait += 1) {
        const a = product.traits[trait] * fade;
        const b = other.traits[(trait + season) % other.traits.length] * fade;
        dot += a * b;
        lengthA += a * a;
        lengthB += b * b;
      }
    }
    nearest.push({ id: other.id, name: other.name, likeness: other === product ? 0 : dot / Math.sqrt(lengthA * lengthB) });
  }
  return nearest.sort((a, b) => b.likeness - a.likeness).slice(0, count);
}
