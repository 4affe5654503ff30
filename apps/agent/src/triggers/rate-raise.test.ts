import timers from 'node:timers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AgentLog } from '../safety/agent-log.js';
import { createGuard } from '../safety/guard.js';
import { MAX_RAISE_MS, RateRaise } from './rate-raise.js';

/** Turns at the end of a period, as the native one does. */
let sampler: { rateHz: number; samplingHz: number; next: number; fault: 'none' | 'refuses' | 'stays' };
let ended: number;
let said: string[];
let raise: RateRaise;
/** Of the module; only the global ones are faked. */
const timersOfNode = { setTimeout: timers.setTimeout, clearTimeout: timers.clearTimeout, setImmediate: timers.setImmediate };

function endPeriod(): void {
  ended += 1;
  if (sampler.fault !== 'stays') sampler.samplingHz = sampler.next;
  raise.periodEnded();
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] });
  const { setTimeout, clearTimeout, setImmediate } = globalThis;
  Object.assign(timers, { setTimeout, clearTimeout, setImmediate });
  sampler = { rateHz: 99, samplingHz: 99, next: 99, fault: 'none' };
  [ended, said] = [0, []];
  const log = new AgentLog();
  log.useLogger({ info: (line) => said.push(line), warn: (line) => said.push(line) });
  const ported = Object.assign(sampler, {
    raiseRate: (rateHz: number) => {
      if (sampler.fault === 'refuses') throw new Error('not here');
      sampler.next = rateHz;
    },
    lowerRate: () => {
      sampler.next = 99;
    },
  });
  raise = new RateRaise(
    () => ported,
    () => true,
    () => endPeriod(),
    { rateHz: 499, durationMs: 1_000 },
    log,
    createGuard(log),
  );
});
afterEach(() => {
  vi.useRealTimers();
  Object.assign(timers, timersOfNode);
});

describe('RateRaise', () => {
  it('begins and ends with a period, and then lets it be for nine times as long', () => {
    expect(raise.series).toEqual([]);
    expect(raise.start('slow', 'why')).toBe(true);
    expect([ended, sampler.samplingHz]).toEqual([1, 499]);
    expect(raise.series).toEqual([
      { name: 'agent_sampling_rate_hz', value: 499 },
      { name: 'agent_raised_by_slow_ratio', value: 1 },
    ]);
    expect(raise.start('cpu', 'why')).toBe(false);
    vi.advanceTimersByTime(999);
    expect(sampler.samplingHz).toBe(499);
    vi.advanceTimersByTime(1);
    expect([ended, sampler.samplingHz]).toEqual([2, 99]);
    expect(raise.series).toContainEqual({ name: 'agent_raised_by_slow_ratio', value: 0 });
    vi.advanceTimersByTime(8_999);
    for (const cause of ['slow', 'command'] as const) expect(raise.start(cause, 'why', 60_000)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(raise.start('command', 'why')).toBe(true);
  });

  it('lasts a minute at most, however long somebody asks for, so that it is a tenth of an hour', () => {
    let raisedMs = 0;
    for (let second = 0; second < 3_600; second += 1) {
      raise.start('command', 'why', 1e9);
      raisedMs += sampler.samplingHz === 499 ? 1_000 : 0;
      vi.advanceTimersByTime(1_000);
    }
    expect(MAX_RAISE_MS).toBe(60_000);
    expect(raisedMs).toBe(360_000);
  });

  it('is asked for from within the host, once, and begins later', () => {
    for (let at = 0; at < 1_000; at += 1) raise.ask('slow', 'why');
    expect(ended).toBe(0);
    vi.advanceTimersByTime(0);
    expect([ended, sampler.samplingHz]).toEqual([1, 499]);
  });

  it.each(['refuses', 'stays'] as const)('says so where the sampler %s, once in ten minutes', (fault) => {
    sampler.fault = fault;
    expect(raise.start('slow', 'why')).toBe(false);
    expect(said.at(-1)).toContain('[AGENT_NO_RAISE]');
    expect(raise.isRunning).toBe(false);
    sampler.fault = 'none';
    vi.advanceTimersByTime(599_999);
    expect(raise.start('slow', 'why')).toBe(false);
    vi.advanceTimersByTime(1);
    sampler.next = 99;
    expect(raise.start('slow', 'why')).toBe(true);
  });

  it('ends where the agent costs too much, and lets it be for ten minutes', () => {
    raise.start('slow', 'why');
    raise.endAsTooMuch();
    expect(sampler.samplingHz).toBe(99);
    expect(said.at(-1)).toContain('[AGENT_GOVERNOR]');
    vi.advanceTimersByTime(599_999);
    expect(raise.start('slow', 'why')).toBe(false);
    vi.advanceTimersByTime(1);
    expect(raise.start('slow', 'why')).toBe(true);
  });

  it('ends with the period that somebody else ends', () => {
    raise.start('slow', 'why');
    raise.lower();
    expect([ended, sampler.samplingHz, raise.isRunning]).toEqual([1, 499, false]);
    endPeriod();
    expect(sampler.samplingHz).toBe(99);
    vi.advanceTimersByTime(60_000);
    expect(ended).toBe(2);
  });
});
