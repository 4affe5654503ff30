// Serves and requests in one process, so that it knows how many there were. argv: how many
import express from 'express';
import { bucket, flush, init, stop, tag, transaction } from '../../dist/index.mjs';
import { burn } from './work.mjs';

init({ periodMs: 1_000 });
const app = express();
app.get('/orders/:id', async (request, response) => {
  tag({ plan: Number(request.params.id) % 2 ? 'pro' : 'free', items: bucket(Number(request.params.id)) });
  transaction('price', () => burn(0.2));
  response.send('ok');
});
const server = app.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  const count = Number(process.argv[2]);
  for (let at = 0; at < count; at += 10) {
    await Promise.all(Array.from({ length: 10 }, async (_, one) => (await fetch(`${url}/orders/${at + one}`)).text()));
  }
  await flush();
  server.close();
  server.closeAllConnections();
  await stop();
});
