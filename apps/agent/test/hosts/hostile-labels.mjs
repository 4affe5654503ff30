/* oxlint-disable unicorn/no-thenable, typescript/await-thenable -- hostile on purpose */
import { bind, bucket, flush, init, span, stop, tag, transaction, wrap } from '../../dist/index.mjs';

init({ labels: JSON.parse('{"__proto__": "p", "x": "\\u0000"}') });
init({ key: 'other' });
const huge = 'x'.repeat(1_000_000);
const labels = {
  ...JSON.parse('{"__proto__": "own"}'),
  constructor: 'c',
  toString: 1,
  emoji: '👩‍👩‍👧 😀',
  nul: 'a\0b',
  lone: '\ud800',
  cut: `${'y'.repeat(199)}😀`,
  huge,
  [huge]: 'key',
  object: {},
  array: [1],
  fn: () => 1,
  symbol: Symbol('s'),
  nothing: null,
  no: undefined,
  big: 10n,
  nan: NaN,
  '': 'no name',
  transaction: 'mine',
  html: '<script>alert("1")</script>',
};
const throwing = new Proxy(
  {},
  {
    ownKeys() {
      throw new Error('of the labels');
    },
  },
);
const throwsInPart = {
  get bad() {
    throw new Error('of a getter');
  },
  plan: 'pro',
};
const results = [
  transaction('hostile', labels, () => 1),
  transaction(huge, undefined, () => 2),
  transaction('\ud800', throwing, () => 3),
  transaction(undefined, null, () => 4),
  transaction('nested', () => {
    tag(labels);
    tag(throwing);
    tag(null);
    tag('text');
    return span('s', throwing, () => 5);
  }),
  await transaction('thenable', () => ({ then: (done) => done(6) })),
  transaction('getter', () => ({
    get then() {
      throw new Error('of the getter');
    },
  })) && 7,
  wrap(
    function (add) {
      return this.value + add;
    },
    {
      labels: () => {
        throw new Error('of the option');
      },
    },
  ).call({ value: 1 }, 7),
  bind((value) => value)(9),
  wrap(undefined) ?? 10,
  bucket({}) && 11,
  transaction('throws in part', throwsInPart, () => {
    tag({ late: 'yes' }, throwsInPart);
    return 12;
  }),
];
for (let at = 0; at < 1_000; at += 1) transaction(`t${at}`, { id: at, other: at % 7 }, () => at);
const errors = [];
try {
  transaction('throws', () => {
    throw 'a text';
  });
} catch (error) {
  errors.push(error);
}
try {
  await transaction('throws', async () => {
    throw undefined;
  });
} catch (error) {
  errors.push(String(error));
}
console.log(JSON.stringify({ results, errors }));
await flush();
await stop();
await stop();
await flush();
