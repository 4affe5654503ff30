import { describe, expect, it } from 'vitest';
import { QueryGate } from './query-gate.js';

const never = new AbortController().signal;

describe('QueryGate', () => {
  it('works on so many at once, in the order they came', async () => {
    const gate = new QueryGate({ maxRunning: 2, maxWaiting: 10 });
    const begun: number[] = [];
    const open: (() => void)[] = [];
    const all = [0, 1, 2, 3].map((n) =>
      gate.run(never, () => new Promise<void>((resolve) => (begun.push(n), open.push(resolve)))),
    );
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    open[1]!();
    await all[1];
    await Promise.resolve();
    expect(begun).toEqual([0, 1, 2]);
    open[0]!();
    await all[0];
    await Promise.resolve();
    open[2]!();
    open[3]!();
    await Promise.all(all);
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  it('sends away the one that would have to wait too long', async () => {
    const gate = new QueryGate({ maxRunning: 1, maxWaiting: 1 });
    let finish = () => {};
    const first = gate.run(never, () => new Promise<void>((resolve) => (finish = resolve)));
    const second = gate.run(never, async () => 2);
    await expect(gate.run(never, async () => 3)).rejects.toMatchObject({ code: 'QUERIES_BUSY', status: 503 });
    finish();
    await first;
    expect(await second).toBe(2);
  });

  it('never begins the question of a client that left, and goes on to the next', async () => {
    const gate = new QueryGate({ maxRunning: 1, maxWaiting: 5 });
    const client = new AbortController();
    let finish = () => {};
    const first = gate.run(never, () => new Promise<void>((resolve) => (finish = resolve)));
    const left = gate.run(client.signal, async () => expect.unreachable());
    const last = gate.run(never, async () => 'last');
    client.abort();
    await expect(left).rejects.toMatchObject({ code: 'QUERY_CANCELLED' });
    finish();
    await first;
    expect(await last).toBe('last');
  });

  it('goes on after a question that failed', async () => {
    const gate = new QueryGate({ maxRunning: 1, maxWaiting: 5 });
    await expect(gate.run(never, async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await gate.run(never, async () => 1)).toBe(1);
  });
});
