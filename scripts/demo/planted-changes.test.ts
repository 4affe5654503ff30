import { describe, expect, it } from 'vitest';
import { falseAlarms, plantedPct } from './planted-changes.mjs';

const change = (verdict: string, deltaPct: number | null = 50) => ({ verdict, deltaPct });
const own = (name: string, file: string) => ({ name, package: '', file });
const DEARER = own('estimateDelivery', 'src/delivery/estimate-delivery.js');
const CHEAPER = own('rankProducts', 'src/catalog/search.js');
const MOVED_FROM = own('relatedProducts', 'src/catalog/related-products.js');
const MOVED_TO = own('relatedProducts', 'src/recommendations/related-products.js');
const CALLER = own('cartPage', 'src/cart/cart-page.js');
const NEIGHBOUR = own('suggestAddOns', 'src/cart/cart-page.js');

/** root > cartPage > (estimateDelivery, suggestAddOns); root > rankProducts; root > relatedProducts, old and new. */
const tree = {
  functions: [CALLER, DEARER, NEIGHBOUR, CHEAPER, MOVED_FROM, MOVED_TO],
  depth: [0, 1, 2, 2, 1, 1, 1],
  functionRow: [-1, 0, 1, 2, 3, 4, 5],
};
interface Row {
  function: { name: string; package: string; file: string };
  metric: 'self' | 'inclusive';
  transaction: string | null;
  change: { verdict: string; deltaPct: number | null };
}
const row = (key: Row['function'], metric: Row['metric'], transaction: string | null, verdict: string): Row => ({
  function: key,
  metric,
  transaction,
  change: change(verdict),
});
const alarmsOf = (
  functions: Row[],
  transactions: { transaction: string; change: { verdict: string; deltaPct: number | null } }[] = [],
) => falseAlarms({ tree, functions, transactions });

describe('plantedPct', () => {
  it('is the growth of the work per cart page, whatever the number of pages', () => {
    const baseline = { cartPages: 300, deliveryEvaluations: 300 * 2 };
    const candidate = { cartPages: 900, deliveryEvaluations: 600 * 2 + 300 * 5 };
    expect(plantedPct(baseline, candidate)).toBeCloseTo(50, 9);
  });
});

describe('falseAlarms', () => {
  it('accepts each planted change for its own transaction and for the service as a whole', () => {
    expect(
      alarmsOf(
        [
          row(DEARER, 'self', 'GET /cart/:cartId', 'REGRESSED'),
          row(DEARER, 'inclusive', null, 'REGRESSED'),
          row(CHEAPER, 'self', 'GET /search', 'IMPROVED'),
          row(MOVED_FROM, 'self', 'GET /products/:productId', 'GONE'),
          row(MOVED_TO, 'self', null, 'NEW'),
        ],
        [
          { transaction: 'GET /cart/:cartId', change: change('REGRESSED') },
          { transaction: 'GET /search', change: change('IMPROVED') },
        ],
      ),
    ).toEqual([]);
  });

  it('accepts that whoever calls the dearer function costs more with it, but not by itself', () => {
    expect(alarmsOf([row(CALLER, 'inclusive', 'GET /cart/:cartId', 'REGRESSED')])).toEqual([]);
    expect(alarmsOf([row(CALLER, 'self', 'GET /cart/:cartId', 'REGRESSED')])).toHaveLength(1);
  });

  it('refuses a planted change in the wrong direction, in another transaction, or under another name', () => {
    expect(alarmsOf([row(DEARER, 'self', null, 'IMPROVED')])).toHaveLength(1);
    expect(alarmsOf([row(DEARER, 'self', 'GET /search', 'REGRESSED')])).toHaveLength(1);
    expect(alarmsOf([row(MOVED_TO, 'self', null, 'GONE')])).toHaveLength(1);
    expect(alarmsOf([row(MOVED_FROM, 'self', null, 'REGRESSED')])).toHaveLength(1);
  });

  it('names what it refuses, functions and transactions', () => {
    expect(
      alarmsOf(
        [row(NEIGHBOUR, 'inclusive', 'GET /cart/:cartId', 'REGRESSED')],
        [{ transaction: 'GET /products', change: change('IMPROVED', -12) }],
      ),
    ).toEqual([
      {
        function: 'suggestAddOns',
        file: 'src/cart/cart-page.js',
        metric: 'inclusive',
        transaction: 'GET /cart/:cartId',
        verdict: 'REGRESSED',
        delta_pct: 50,
      },
      { function: null, file: null, metric: null, transaction: 'GET /products', verdict: 'IMPROVED', delta_pct: -12 },
    ]);
  });

  it('takes nothing for an alarm that the comparison does not', () => {
    expect(
      alarmsOf(['LIKELY_REGRESSED', 'UNCHANGED', 'NOT_ENOUGH_DATA'].map((verdict) => row(NEIGHBOUR, 'self', null, verdict))),
    ).toEqual([]);
  });
});
