/** Gives spans and context what nobody should, and more of it than is kept. */
import { readFile } from 'node:fs/promises';
import { flush, init, span, stop, tag, transaction } from '../../dist/index.mjs';

init({ periodMs: 60_000, waits: 'on' });
const long = 'x'.repeat(1_000_000);
const cyclic = {};
cyclic.self = cyclic;
const inputs = {
  number: 1,
  small: 10n,
  enormous: 2n ** 2_000_000n,
  nul: 'a\0b',
  emoji: '👩‍👩‍👧',
  long,
  cyclic,
  symbol: Symbol('s'),
  fn: () => 1,
};
const throws = {
  get value() {
    throw new Error('of a getter');
  },
};
const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`n${at}`, 'v']));
const results = await transaction('hostile', many, async () => {
  tag({ plan: 'pro' }, { long });
  tag({}, throws);
  tag(throws, many);
  tag({}, null);
  tag({}, 'text');
  const deep = (depth) => (depth === 0 ? 1 : span(`step ${depth}`, depth === 300 ? inputs : many, () => deep(depth - 1)));
  const first = deep(300);
  for (let at = 0; at < 600; at += 1) await readFile(new URL(import.meta.url));
  return [
    first,
    span('throws', throws, () => 2),
    span(long, null, () => 3),
    span(undefined, undefined, () => 4),
    await span('promise', { a: 1 }, async () => 5),
  ];
});
for (let at = 0; at < 200; at += 1) transaction(`name ${at}`, () => at);
await span('outside', inputs, async () => {});
await flush();
console.log('results', [...results, 'done'].join());
await stop();
