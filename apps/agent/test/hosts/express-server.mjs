// A service that knows nothing of the agent. Prints its port; ends at SIGTERM in the way its argument says.
import express from 'express';
import { burn, pause } from './work.mjs';

const app = express();
const users = express.Router({ mergeParams: true });
users.get('/users/:id', async (request, response) => {
  burn(2);
  await pause(5);
  response.send(request.params.id);
});
users.get('/fails', () => {
  throw new Error('of the handler in the router');
});
app.use('/orgs/:org', users);
app.get('/fails', () => {
  throw new Error('of the handler');
});
app.get('/slow', async (_request, response) => {
  await pause(3_000);
  response.send('late');
});
app.use((_error, _request, response, _next) => response.status(500).send('failed'));

const server = app.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
const ending = process.argv[2];
if (ending === 'drains') process.on('SIGTERM', () => server.close(() => console.log('drained')));
if (ending === 'exits') process.once('SIGTERM', () => server.close(() => setTimeout(() => process.exit(3), 200)));
