import { describe, expect, it } from 'vitest';
import { packLanes } from './lanes.js';

describe('packLanes', () => {
  it('puts waits beside each other into lanes of their own, and those after each other into one', () => {
    const { lane, count, hidden } = packLanes([0, 5, 10, 12, 30], [10, 20, 5, 1, 1], 9);
    expect([Array.from(lane), count, hidden]).toEqual([[0, 1, 0, 2, 0], 3, 0]);
  });
  it('hides what has no lane left', () => {
    const { lane, count, hidden } = packLanes([0, 0, 0, 10], [10, 10, 10, 1], 2);
    expect([Array.from(lane), count, hidden]).toEqual([[0, 1, -1, 0], 2, 1]);
    expect(packLanes([], [], 2)).toEqual({ lane: new Int32Array(), count: 0, hidden: 0 });
  });
});
