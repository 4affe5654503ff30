import { describe, expect, it } from 'vitest';
import { callNodes } from './call-nodes.js';
import { coverChange } from './cover.js';
import type { Cover } from './cover.js';
import { EVIDENCE } from './evidence.js';
import type { Evidence } from './evidence.js';
import type { CallNodes } from './call-nodes.js';
import { describedFleet } from './testing/described-fleet.js';

type Evident = Readonly<Record<string, Partial<Record<'self' | 'inclusive', keyof typeof EVIDENCE>>>>;

/** Changes of self value by path, what is known of each function, and where it is not known of it. */
function coverOf(
  changes: Readonly<Record<string, number>>,
  evident: Evident,
  elsewhere: readonly string[] = [],
): { cover: Cover; nodes: CallNodes; text: string[] } {
  const cost = Object.fromEntries(Object.keys(changes).map((path) => [path, { second: 1 }]));
  const side = { processes: 1, windows: 1, traffic: {}, cost };
  const input = describedFleet({ cv: 0, baseline: side, candidate: side });
  const nodes = callNodes(input);
  const pathOf = (node: number): string => {
    const name = nodes.functions[nodes.functionId[node]!]!.name;
    return nodes.parent[node] === -1 ? name : `${pathOf(nodes.parent[node]!)} > ${name}`;
  };
  const candidate = Float64Array.from({ length: nodes.length }, (_, node) => 1000 + (changes[pathOf(node)] ?? 0));
  const evidence = {
    self: new Uint8Array(nodes.functions.length).fill(EVIDENCE.none),
    inclusive: new Uint8Array(nodes.functions.length).fill(EVIDENCE.none),
  };
  nodes.functions.forEach(({ name }, id) => {
    for (const metric of ['self', 'inclusive'] as const) evidence[metric][id] = EVIDENCE[evident[name]?.[metric] ?? 'none'];
  });
  const baseline = new Float64Array(nodes.length).fill(1000);
  const cover = coverChange(nodes, { baseline, candidate }, evidence, (changed) =>
    changed.map(
      ({ node, metric }) =>
        (elsewhere.includes(pathOf(node)) ? EVIDENCE.none : evidence[metric][nodes.functionId[node]!]!) as Evidence,
    ),
  );
  return { cover, nodes, text: cover.nodes.map(({ node, delta }) => `${pathOf(node)} ${delta}`) };
}

const alarm = { self: 'alarm', inclusive: 'alarm' } as const;
const caller = { inclusive: 'alarm' } as const;

describe('coverChange', () => {
  it('names the function that changed, not its callers', () => {
    const { text } = coverOf(
      { 'main > handle > price': 50, 'main > handle > read': 2 },
      { main: caller, handle: caller, price: alarm },
    );
    expect(text).toEqual(['main > handle > price 50']);
  });

  it('names the caller where no callee explains half of the change', () => {
    const { text } = coverOf(
      { 'main > handle > a': 10, 'main > handle > b': 11, 'main > handle > c': 12 },
      { main: caller, handle: caller },
    );
    expect(text).toEqual(['main > handle 33']);
  });

  it('names a function and what it calls together if its own change is a good part of it', () => {
    const { text } = coverOf({ 'main > price': 40, 'main > price > tax': 30 }, { price: alarm, tax: alarm });
    expect(text).toEqual(['main > price 70']);
  });

  it('goes to the callee if that holds four fifths', () => {
    const { text } = coverOf({ 'main > price': 10, 'main > price > tax': 60 }, { price: alarm, tax: alarm });
    expect(text).toEqual(['main > price > tax 60']);
  });

  it('keeps a regression and an improvement apart instead of their sum', () => {
    const { text } = coverOf({ 'main > slow': 50, 'main > fast': -45 }, { slow: alarm, fast: alarm });
    expect(text).toEqual(['main > slow 50', 'main > fast -45']);
  });

  it('takes the fewest that hold four fifths, the surest first', () => {
    const { text } = coverOf({ a: 60, b: 30, c: 6, d: 200 }, { a: alarm, b: alarm, c: alarm, d: { self: 'appearance' } });
    expect(text).toEqual(['a 60', 'b 30', 'c 6', 'd 200']);
    expect(coverOf({ a: 60, b: 30, c: 6 }, { a: alarm, b: alarm, c: alarm }).text).toEqual(['a 60', 'b 30']);
  });

  it('names at most ten', () => {
    const names = Array.from({ length: 14 }, (_, row) => `f${row}`);
    const { cover } = coverOf(
      Object.fromEntries(names.map((name) => [name, 10])),
      Object.fromEntries(names.map((name) => [name, alarm])),
    );
    expect(cover.nodes).toHaveLength(10);
  });

  it('names possible changes only where nothing is sure, and nobody without evidence', () => {
    const likely = { self: 'likely' } as const;
    expect(coverOf({ a: 60, b: 30 }, { a: likely, b: alarm }).text).toEqual(['b 30']);
    expect(coverOf({ a: 60, b: 30 }, { a: likely }).text).toEqual(['a 60']);
    expect(coverOf({ a: 60, b: 30 }, {}).text).toEqual([]);
  });

  it('names a function only where it changed, and nothing below a hundredth', () => {
    const anonymous = { 'cart > (anonymous)': 60, 'search > (anonymous)': -20, price: 0.5 };
    expect(coverOf(anonymous, { '(anonymous)': alarm, price: alarm }, ['search > (anonymous)']).text).toEqual([
      'cart > (anonymous) 60',
    ]);
  });

  it('never names a node below another', () => {
    const { cover, nodes } = coverOf({ 'a > b': 40, 'a > b > a': 30, 'a > b > a > b': 20 }, { a: alarm, b: alarm });
    const named = new Set(cover.nodes.map(({ node }) => node));
    for (const { node } of cover.nodes)
      for (let above = nodes.parent[node]!; above !== -1; above = nodes.parent[above]!) expect(named.has(above)).toBe(false);
    expect(named.size).toBeGreaterThan(0);
  });
});
