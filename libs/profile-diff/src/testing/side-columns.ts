import type { SideCounts, SideSamples } from '../comparison-input.js';

type Row<Columns> = { readonly [Name in keyof Columns]: number };

/** The columns of one side, filled row by row. */
export class SideColumns {
  readonly #samples: Row<SideSamples>[] = [];
  readonly #counts: Row<SideCounts>[] = [];

  addSample(row: Row<SideSamples>): void {
    this.#samples.push(row);
  }

  addCount(row: Row<SideCounts>): void {
    this.#counts.push(row);
  }

  columns(): { samples: SideSamples; counts: SideCounts } {
    const samples = this.#samples;
    const counts = this.#counts;
    return {
      samples: {
        process: Uint32Array.from(samples, (row) => row.process),
        windowStartMs: Float64Array.from(samples, (row) => row.windowStartMs),
        transaction: Int32Array.from(samples, (row) => row.transaction),
        stack: Int32Array.from(samples, (row) => row.stack),
        value: Float64Array.from(samples, (row) => row.value),
        count: Float64Array.from(samples, (row) => row.count),
      },
      counts: {
        process: Uint32Array.from(counts, (row) => row.process),
        windowStartMs: Float64Array.from(counts, (row) => row.windowStartMs),
        transaction: Uint32Array.from(counts, (row) => row.transaction),
        count: Float64Array.from(counts, (row) => row.count),
        errors: Float64Array.from(counts, (row) => row.errors),
        durationSumMicros: Float64Array.from(counts, (row) => row.durationSumMicros),
      },
    };
  }
}
