import { setTimeout as delay } from 'node:timers/promises';
import express from 'express';
import { bucket, span, tag } from '@hearth/agent';
import { addToCart, loadCart } from './cart/carts.js';
import { cartPage } from './cart/cart-page.js';
import { catalogPage } from './catalog/catalog-page.js';
import { productPage } from './catalog/product-page.js';
import { findProduct } from './catalog/products.js';
import { searchProducts } from './catalog/search.js';
import { checkout } from './orders/checkout.js';
import { served } from './served.js';

/** How long the warehouse takes to count. */
const STOCK_DELAY_MS = 3;

/** The shop as an Express application. `ownUrl()` is where it can reach itself: its warehouse is a route of its own. */
export function createApp(ownUrl) {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(express.json());
  app.use((request, response, next) => {
    served.requests += 1;
    tag({ plan: planOf(request) });
    next();
  });

  app.get('/products', (request, response) => {
    response.type('html').send(catalogPage(request.query.sort, Number(request.query.page) || 0));
  });

  app.get('/search', async (request, response) => {
    await delay(1);
    const { q } = request.query;
    response.json(searchProducts(typeof q === 'string' ? q : ''));
  });

  app.get('/products/:productId', async (request, response) => {
    const product = findProduct(request.params.productId);
    if (product === undefined) return response.status(404).json({ error: 'no such product' });
    const answer = await fetch(`${ownUrl()}/stock/${product.id}`);
    const { stock } = await answer.json();
    return response.type('html').send(await productPage(product, stock));
  });

  app.get('/stock/:productId', async (request, response) => {
    await delay(STOCK_DELAY_MS);
    response.json({ stock: Number(request.params.productId.slice(1)) % 40 });
  });

  app.get('/cart/:cartId', async (request, response) => {
    const cart = await loadCart(request.params.cartId);
    // The second is told of slow requests only, so that any value may be said.
    tag({ items: bucket(cart.items.length) }, { cart: cart.id });
    served.cartPages += 1;
    response.type('json').send(cartPage(cart, planOf(request)));
  });

  app.post('/cart/:cartId/items', async (request, response) => {
    const cart = await addToCart(request.params.cartId, String(request.body.productId));
    tag({ items: bucket(cart.items.length) });
    response.status(201).json({ items: cart.items.length });
  });

  app.post('/checkout', async (request, response) => {
    const cartId = String(request.body.cartId);
    const cart = await span('load cart', { cart: cartId }, () => loadCart(cartId));
    tag({ items: bucket(cart.items.length) }, { cart: cartId });
    response.json(await span('check out', { items: cart.items.length }, () => checkout(cart)));
  });

  return app;
}

function planOf(request) {
  const plan = request.headers['x-plan'];
  return plan === 'premium' || plan === 'standard' ? plan : 'free';
}
