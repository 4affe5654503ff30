// GraphQL over HTTP by Express. argv: `graphql` (which says itself what it executes) or `graphql-16` (whose execute is wrapped). Requests itself.
import express from 'express';
import { flush, init, stop, transaction } from '../../dist/index.mjs';
import { wrapExecute } from '../../dist/graphql.mjs';
import { burn, pause } from './work.mjs';

init({ periodMs: 60_000 });
const { buildSchema, execute, graphql, parse } = await {
  graphql: () => import('graphql'),
  'graphql-16': () => import('graphql-16'),
}[process.argv[2]]();
const schema = buildSchema('type Query { user(id: ID): String order(id: ID): String } type Mutation { rename(id: ID): String }');
async function work(label) {
  const works = {
    user: function userWork() {
      burn(2);
    },
    order: function orderWork() {
      burn(2);
    },
  };
  works[label]?.();
  await pause(Math.random() * 5);
  works[label]?.();
  return label;
}
const rootValue = { user: () => work('user'), order: () => work('order'), rename: () => work('rename') };
const run = process.argv[2] === 'graphql' ? execute : wrapExecute(execute);
const app = express();
app.use(express.json());
// Mounted, as servers of GraphQL are; for the other half a route.
const handle = async ({ body: { query, operationName, variables: variableValues } }, response) =>
  void response.json(await run({ schema, document: parse(query), rootValue, variableValues, operationName }));
app.use('/graphql', handle);
app.post('/api/graph', handle);
const server = app.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const url = `http://127.0.0.1:${server.address().port}`;
async function ask(query, operationName, path = '/graphql') {
  const body = JSON.stringify({ query, operationName, variables: { id: 'a-secret' } });
  const response = await fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return (await response.json()).data;
}
const BOTH = 'query GetUser($id: ID) { user(id: $id) } query GetOrder($id: ID) { order(id: $id) }';
const answers = await Promise.all(
  Array.from({ length: 40 }, () => [
    ask(BOTH, 'GetUser'),
    ask(BOTH, 'GetOrder', '/api/graph'),
    ask('mutation { rename(id: 7) }'),
  ]).flat(),
);
if (process.argv[2] === 'graphql') await transaction('nightly', () => graphql({ schema, rootValue, source: '{ __typename }' }));
// More names than there may be: of operations, and of label sets.
for (let at = 0; at < 310; at += 10) {
  await Promise.all(Array.from({ length: 10 }, (_, one) => ask(`query Made${at + one} { __typename }`)));
}
await flush();
await stop();
server.close();
server.closeAllConnections();
console.log(JSON.stringify(answers.slice(0, 3)));
