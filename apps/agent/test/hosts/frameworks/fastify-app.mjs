/** The same for Fastify 4 and 5. */
export async function listenByFastify(fastify, { user, order, fails }) {
  const app = fastify({ forceCloseConnections: true });
  app.get('/users/:id', ({ params }) => user(params.id));
  app.get('/fails/:id', fails);
  await app.register(async (orgs) => void orgs.get('/orders/:id', ({ params }) => order(params.org, params.id)), {
    prefix: '/orgs/:org',
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { port: app.server.address().port, close: () => app.close() };
}
