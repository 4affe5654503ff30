import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { nameRoutes } from '../../../dist/hono.mjs';

export function listen({ user, order, fails }) {
  const app = new Hono();
  app.use(nameRoutes());
  app.onError((_error, context) => context.text('failed', 500));
  app.get('/users/:id', async (context) => context.json(await user(context.req.param('id'))));
  app.get('/fails/:id', fails);
  const orders = new Hono();
  orders.use('/orders/*', async (_context, next) => next());
  orders.get('/orders/:id', async (context) => context.json(await order(context.req.param('org'), context.req.param('id'))));
  app.route('/orgs/:org', orders);
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
      resolve({
        port,
        close() {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}
