import Router from '@koa/router';
import Koa from 'koa';
import { nameRoutes } from '../../../dist/koa.mjs';

export function listen({ user, order, fails }) {
  const app = new Koa();
  app.silent = true;
  app.use(nameRoutes());
  const answer = (handle) => async (context) => {
    context.body = await handle(context.params);
  };
  const router = new Router();
  router.get(
    '/users/:id',
    answer(({ id }) => user(id)),
  );
  router.get('/fails/:id', answer(fails));
  const orders = new Router();
  orders.get(
    '/orders/:id',
    answer(({ org, id }) => order(org, id)),
  );
  router.use('/orgs/:org', orders.routes());
  app.use(router.routes()).use(router.allowedMethods());
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => {
      resolve({
        port: server.address().port,
        close() {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}
