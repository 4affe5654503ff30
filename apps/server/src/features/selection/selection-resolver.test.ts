import { describe, expect, it } from 'vitest';
import { livedWithin, observedMs, selectionFromResolved } from './selection-resolver.js';

const life = (startedAtMs: number, lastSeenMs: number) => ({ startedAtMs, lastSeenMs });
const range = { fromMs: 100, untilMs: 200 };

describe('observedMs', () => {
  it('is the whole range while one process follows another', () => {
    expect(observedMs([life(0, 150), life(150, 500)], range)).toBe(100);
  });
  it('counts the time of two processes at once only once', () => {
    expect(observedMs([life(110, 150), life(120, 130), life(140, 160)], range)).toBe(50);
  });
  it('leaves out the time between', () => {
    expect(observedMs([life(180, 300), life(0, 120)], range)).toBe(40);
  });
  it('is nothing before and after', () => {
    expect(observedMs([life(0, 100), life(200, 300)], range)).toBe(0);
  });
});

describe('livedWithin', () => {
  it('knows a process by the end of its last batch', () => {
    expect([life(0, 99), life(0, 100), life(199, 300), life(200, 300)].map((process) => livedWithin(process, range))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

describe('selectionFromResolved', () => {
  it('asks for the same instants again', () => {
    const resolved = { service: 'shop', type: 'cpu', maxNodes: 9, fromMs: 5, untilMs: 6 };
    expect(selectionFromResolved(resolved)).toEqual({ service: 'shop', type: 'cpu', maxNodes: 9, from: '5', until: '6' });
  });
});
