import type { z } from 'zod';
import type { ResolvedSelection } from './selection.js';
import { timelineQuerySchema } from './requests.js';

export const processMetricsQuerySchema = timelineQuerySchema.omit({ type: true, maxNodes: true, groupBy: true });
export type ProcessMetricsRequest = z.output<typeof processMetricsQuerySchema>;

/** What processes measured of themselves, over time. */
export interface ProcessMetricsAnswer {
  readonly selection: Omit<ResolvedSelection, 'type' | 'maxNodes'>;
  readonly stepMs: number;
  /** Start of each step. */
  readonly startsMs: readonly number[];
  /** Processes that measured anything in each step. */
  readonly processes: readonly number[];
  /** By name; each column has a value per step, `null` where nobody measured it. */
  readonly series: readonly {
    /** As the agent calls it, its unit last: `rss_bytes`. */
    readonly name: string;
    readonly unit: 'bytes' | 'microseconds' | 'ratio' | 'count' | '';
    /** What is summed within a period (CPU, collections) is given per second; all else as it was measured. */
    readonly perSecond: boolean;
    /** Of the processes, over their periods. */
    readonly mean: readonly (number | null)[];
    /** The highest of one period of one process. */
    readonly max: readonly (number | null)[];
  }[];
}
