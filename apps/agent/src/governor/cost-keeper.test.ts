import { describe, expect, it } from 'vitest';
import { AgentLog } from '../safety/agent-log.js';
import { CostKeeper } from './cost-keeper.js';

/** In milliseconds, as the batch of the period that runs would say it. */
const saidMs = (costs: CostKeeper): number => costs.series(0).find(({ name }) => name === 'agent_cpu_micros')!.value / 1000;

function flush(costs: CostKeeper, ms: number): void {
  const piece = costs.beginPiece();
  const endAt = performance.now() + ms;
  while (performance.now() < endAt) {
    // works
  }
  costs.endPiece(piece);
  costs.endFlush(1_000, 'usual');
}

describe('agent_cpu_micros', () => {
  it('is of the period that it is sent with, however long that is, the flush at its beginning included', () => {
    const costs = new CostKeeper({ cpuPct: 100, pauseMs: 1_000 }, new AgentLog(), () => {});
    costs.between.add('waits', 500);
    expect(saidMs(costs)).toBe(500);
    flush(costs, 20);
    const flushMs = saidMs(costs);
    expect(flushMs).toBeGreaterThan(0); // less than 20 where the machine is busy: it is CPU
    expect(flushMs).toBeLessThan(100);
    costs.between.add('transactions', 3);
    expect(saidMs(costs)).toBeCloseTo(flushMs + 3, 2);
    flush(costs, 0);
    expect(saidMs(costs)).toBeLessThan(flushMs);
  });
});
