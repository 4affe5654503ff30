// Says what is not as it was after the agent has run. argv: `frozen` fixes what the agent would replace
import dns from 'node:dns';
import fs from 'node:fs';
import { Agent } from 'node:http';
import Module from 'node:module';
import timersPromises from 'node:timers/promises';
import Redis from 'ioredis';
import pg from 'pg';
import { init, stop, transaction } from '../../dist/index.mjs';

const places = {
  'Agent.addRequest': [Agent.prototype, 'addRequest'],
  'dns.lookup': [dns, 'lookup'],
  'dns.promises.lookup': [dns.promises, 'lookup'],
  'fs.promises.readFile': [fs.promises, 'readFile'],
  setTimeout: [globalThis, 'setTimeout'],
  'timersPromises.setTimeout': [timersPromises, 'setTimeout'],
  'Module._load': [Module, '_load'],
  'Client.query': [pg.Client.prototype, 'query'],
  'Pool.query': [Object.getPrototypeOf(pg.Pool.prototype), 'query'],
  'Redis.sendCommand': [Redis.prototype, 'sendCommand'],
  'Error.stackTraceLimit': [Error, 'stackTraceLimit'],
  'Error.prepareStackTrace': [Error, 'prepareStackTrace'],
};
if (process.argv[2] === 'frozen') for (const [owner] of Object.values(places)) if (owner !== globalThis) Object.freeze(owner);
const state = () =>
  Object.fromEntries(Object.entries(places).map(([name, [owner, key]]) => [name, Object.getOwnPropertyDescriptor(owner, key)]));
const same = (a, b) => ['value', 'get', 'set', 'writable', 'enumerable', 'configurable'].every((key) => a[key] === b[key]);

const before = state();
init();
const during = state();
const read = await transaction('reads', () => fs.promises.readFile(process.argv[1], 'utf8'));
await transaction('sleeps', () => timersPromises.setTimeout(60));
await stop();
const after = state();
console.log(
  JSON.stringify({
    read: read.length > 0,
    replaced: Object.keys(places).filter((name) => !same(before[name], during[name])),
    left: Object.keys(places).filter((name) => !same(before[name], after[name])),
    names: Object.keys(places).filter((name) => before[name].value?.name !== during[name].value?.name),
  }),
);
