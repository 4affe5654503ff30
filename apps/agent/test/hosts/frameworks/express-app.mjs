/** The same for Express 4 and 5: 4 does not look at promises. */
export function listenByExpress(express, { user, order, fails }) {
  const app = express();
  const run = (handle) => (request, response, next) => void handle(request.params).then((value) => response.json(value), next);
  app.get(
    '/users/:id',
    run(({ id }) => user(id)),
  );
  app.get('/fails/:id', run(fails));
  const orders = express.Router({ mergeParams: true });
  orders.get(
    '/orders/:id',
    run(({ org, id }) => order(org, id)),
  );
  app.use('/orgs/:org', orders);
  app.use((_error, _request, response, _next) => response.status(500).end());
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
