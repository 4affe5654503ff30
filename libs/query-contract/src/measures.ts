import type { z } from 'zod';
import type { ResolvedSelection } from './selection.js';
import { selectionSchema } from './selection.js';

export const measuresQuerySchema = selectionSchema.omit({ type: true, maxNodes: true, transaction: true });
export type MeasuresRequest = z.output<typeof measuresQuerySchema>;

/** Runs of a snippet, of all selected revisions or of one. */
export interface MeasureFigures {
  readonly count: number;
  /** Of these, runs that ended with an error or a timeout. */
  readonly errors: number;
  readonly perMinute: number;
  /** Not whole: a snippet may be shorter than a microsecond. All but `mean` and `sum` within 1 %. */
  readonly durationMicros: {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
    readonly mean: number;
    readonly sum: number;
  };
}
export interface MeasureAnswer extends MeasureFigures {
  readonly name: string;
  /** The one that ran last first. */
  readonly byRevision: readonly (MeasureFigures & { readonly revision: string })[];
}
export interface MeasuresAnswer {
  readonly selection: Omit<ResolvedSelection, 'type' | 'maxNodes'>;
  /** The longest altogether first. */
  readonly measures: readonly MeasureAnswer[];
}
