/** The catalog: the same 480 products in every process, made from a fixed seed. */

const ADJECTIVES = [
  'light',
  'sturdy',
  'quiet',
  'folding',
  'woollen',
  'bright',
  'compact',
  'waterproof',
  'oak',
  'steel',
  'soft',
  'classic',
];
const NOUNS = [
  'lamp',
  'chair',
  'kettle',
  'blanket',
  'bicycle',
  'table',
  'clock',
  'knife',
  'basket',
  'mirror',
  'shelf',
  'jacket',
  'mug',
  'tent',
];
const USES = ['kitchen', 'garden', 'travel', 'office', 'winter', 'children', 'camping', 'bath'];
const PRODUCT_COUNT = 480;
/** Length of the vector that says what a product is like. */
const TRAITS = 48;

const random = seeded(20_261_120);

export const products = Array.from({ length: PRODUCT_COUNT }, (_, index) => {
  const pick = (words) => words[Math.floor(random() * words.length)];
  const name = `${pick(ADJECTIVES)} ${pick(ADJECTIVES)} ${pick(NOUNS)} ${index}`;
  return {
    id: `p${index}`,
    name,
    description: `A ${name} for ${pick(USES)} and ${pick(USES)}, in ${1 + Math.floor(random() * 9)} colours`,
    priceCents: 500 + Math.floor(random() * 40_000),
    weightGrams: 100 + Math.floor(random() * 9_000),
    litres: 0.2 + random() * 40,
    traits: Float64Array.from({ length: TRAITS }, () => random()),
  };
});

const productOfId = new Map(products.map((product) => [product.id, product]));

/** @returns The product, or `undefined`. */
export function findProduct(id) {
  return productOfId.get(id);
}

/** Pseudo-random numbers in [0, 1), the same ones in every process (mulberry32). */
function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
