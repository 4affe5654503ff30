// Handlers of Express that rewrite the URL. argv: the package.
import { flush, init, stop } from '../../dist/index.mjs';

init({ periodMs: 60_000 });
const { default: express } = await import(process.argv[2]);
const app = express();
app.all('/gateway/:service', (request, response) => {
  request.url = `/tenants/${request.get('x-tenant')}/gateway/${request.params.service}`;
  response.send('as if by a proxy');
});
app.get('/pages/:slug', (request, _response, next) => {
  request.url = `/files/${request.params.slug}/pages/index.html`;
  next();
});
app.use((request, response, next) => (request.url.startsWith('/files/') ? response.send('a file') : next()));
const orders = express.Router();
orders.get('/:name', (_request, response) => response.send('an order'));
orders.get('/fails/:id', () => {
  throw new Error('of the handler');
});
app.use('/orders', orders);
app.use((_error, _request, response, _next) => response.status(500).send('an error'));
const server = await new Promise((resolve) => {
  const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
});
const statuses = [];
async function get(path, headers = {}) {
  const response = await fetch(`http://127.0.0.1:${server.address().port}${path}`, { headers });
  statuses.push(response.status);
  await response.text();
}
await get('/gateway/billing', { 'x-tenant': 'acme' });
await get('/gateway/billing', { 'x-tenant': 'jane.doe@example.com' });
await get('/pages/secret-token');
await get('/orders/today');
await get('/orders/orders');
await get('/orders/fails/7');
await flush();
await stop();
server.closeAllConnections();
server.close();
console.log(JSON.stringify(statuses));
