import type { ProcessMetricsAnswer } from '@hearth/query-contract';
import { describe, expect, it } from 'vitest';
import { metricAxes } from './metric-axes.js';

const answer = (series: ProcessMetricsAnswer['series'], processes = [2, 1]): ProcessMetricsAnswer => ({
  selection: { service: 'shop', fromMs: 0, untilMs: 120_000 },
  stepMs: 60_000,
  startsMs: [0, 60_000],
  processes,
  series,
});
const metric = (
  name: string,
  unit: ProcessMetricsAnswer['series'][number]['unit'],
  mean: (number | null)[],
  perSecond = false,
) => ({
  name,
  unit,
  perSecond,
  mean,
  max: mean,
});

describe('metricAxes', () => {
  it('puts what belongs together into one chart, in units people know', () => {
    const axes = metricAxes(
      answer([
        metric('cpu_system_micros', 'microseconds', [100_000, null], true),
        metric('cpu_user_micros', 'microseconds', [500_000, 1_500_000], true),
        metric('event_loop_utilisation_ratio', 'ratio', [0.25, 0.5]),
        metric('gc_major_pause_micros', 'microseconds', [3_000, 4_000], true),
        metric('rss_bytes', 'bytes', [1024 ** 2, 3 * 1024 ** 2]),
      ]),
    );
    expect(axes.map(({ title, series }) => [title, ...series.map(({ key, values }) => `${key}: ${values.join(' ')}`)])).toEqual([
      ['Processes', ': 2 1'],
      ['CPU of a process, cores', 'user: 0.5 1.5', 'system: 0.1 '],
      ['Memory of a process, MiB', 'resident: 1 3'],
      ['Event loop in use, %', 'mean: 25 50', 'highest: 25 50'],
      ['Garbage collection, ms/s', 'major: 3 4'],
    ]);
  });

  it('says what the agent costs, and what it does less of', () => {
    const axes = metricAxes(
      answer([
        metric('agent_cpu_micros', 'microseconds', [4_000, 30_000], true),
        metric('agent_governor_count', 'count', [0, 2]),
        metric('agent_heap_ratio', 'ratio', [null, 0]),
        metric('agent_stacks_ratio', 'ratio', [null, 0.5]),
      ]),
    );
    expect(axes.map(({ title, series }) => [title, ...series.map(({ key, values }) => `${key}: ${values.join(' ')}`)])).toEqual([
      ['Processes', ': 2 1'],
      ['CPU of the agent, cores', 'mean: 0.004 0.03', 'highest: 0.004 0.03'],
      ['Steps by which the agent does less than asked', 'mean: 0 2', 'highest: 0 2'],
      ['What the agent does of what was asked, %', 'stacks:  50', 'heap:  0'],
    ]);
  });

  it('counts samples under lost context, beside how many handlers are watched for it', () => {
    const axes = metricAxes(
      answer([
        metric('agent_no_context_count', 'count', [0, 3]),
        metric('agent_watched_handlers_count', 'count', [7, 8]),
        metric('agent_wrong_context_count', 'count', [12, 0]),
        metric('queue_length_count', 'count', [1e7, 2e7]),
      ]),
    );
    expect(
      axes.map(({ title, series, isCount }) => [
        title,
        ...series.map(({ key, values }) => `${key}: ${values.join(' ')}`),
        isCount,
      ]),
    ).toEqual([
      ['Processes', ': 2 1', true],
      ['Samples of a period under lost context', 'of another transaction: 12 0', 'of none: 0 3', true],
      ['Handlers watched for lost context', 'mean: 7 8', true],
      ['queue_length_count, M', 'mean: 10 20', 'highest: 10 20', undefined],
    ]);
  });

  it('says when the sampling rate was raised, and why', () => {
    const axes = metricAxes(
      answer([
        metric('agent_raised_by_command_ratio', 'ratio', [null, 1]),
        metric('agent_raised_by_slow_ratio', 'ratio', [0.5, 0]),
        metric('agent_sampling_rate_hz', '', [299, 499]),
      ]),
    );
    expect(
      axes.slice(1).map(({ title, series }) => [title, ...series.map(({ key, values }) => `${key}: ${values.join(' ')}`)]),
    ).toEqual([
      ['Samples a second', 'mean: 299 499', 'highest: 299 499'],
      ['Time with a raised sampling rate, by what raised it, %', 'slow transaction: 50 0', 'server:  100'],
    ]);
  });

  it('charts names it does not know by themselves, and nothing where nothing was measured', () => {
    expect(metricAxes(answer([metric('queue_length_count', 'count', [1, 2])])).map(({ title }) => title)).toEqual([
      'Processes',
      'queue_length_count',
    ]);
    expect(metricAxes(answer([], [0, 0]))).toEqual([]);
  });
});
