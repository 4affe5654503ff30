import { describe, expect, it } from 'vitest';
import type { TimelineAnswer } from '@hearth/query-contract';
import { timelineAxis } from './timeline-axis.js';

const answer = (unit: string, type: string, series: [string, number[]][]): TimelineAnswer => ({
  unit,
  stepMs: 10_000,
  startsMs: series[0]![1].map((_, step) => step * 10_000),
  series: series.map(([key, values]) => ({ key, values })),
  selection: { service: 'shop', type, fromMs: 0, untilMs: 60_000, maxNodes: 16_384 },
  deploys: [],
});

describe('timelineAxis', () => {
  it('shows CPU time as cores', () => {
    const axis = timelineAxis(
      answer('microseconds', 'process_cpu:cpu:microseconds:cpu:microseconds', [['', [10_000_000, 5_000_000]]]),
      'flow',
    );
    expect(axis).toEqual({ title: 'CPU, cores', series: [{ key: '', values: [1, 0.5] }] });
  });
  it('shows waits as so many at once, also under their short name', () => {
    for (const type of ['wait', 'wait:wait:microseconds:wait:microseconds']) {
      expect(timelineAxis(answer('microseconds', type, [['', [20_000_000]]]), 'flow')).toEqual({
        title: 'Waits at once',
        series: [{ key: '', values: [2] }],
      });
    }
  });
  it('does not divide a level by time', () => {
    const axis = timelineAxis(
      answer('bytes', 'memory:inuse_space:bytes:space:bytes', [['', [1024 ** 2, 3 * 1024 ** 2]]]),
      'level',
    );
    expect(axis).toEqual({ title: 'Memory, MiB', series: [{ key: '', values: [1, 3] }] });
  });
  it('sums what is too much to be told apart, and loses nothing', () => {
    const axis = timelineAxis(
      answer(
        'objects',
        'x:objects:count:y:z',
        Array.from({ length: 9 }, (_, index) => [`k${index}`, [10 * (index + 1)]]),
      ),
      'flow',
    );
    expect(axis.series.map(({ key }) => key)).toEqual(['k8', 'k7', 'k6', 'k5', 'k4', '4 others']);
    expect(axis.series.reduce((sum, { values }) => sum + values[0]!, 0)).toBe(45);
  });
});
