import type { ComparisonInput, ComparisonSide } from '../comparison-input.js';
import { seededRandom } from './random.js';

/** The same comparison with processes, samples, counts and transactions told in another order. */
export function shuffled(input: ComparisonInput, seed: number): ComparisonInput {
  const random = seededRandom(seed);
  const order = (length: number): number[] => {
    const rows = Array.from({ length }, (_, row) => row);
    for (let at = length - 1; at > 0; at -= 1) {
      const other = Math.floor(random.uniform() * (at + 1));
      [rows[at], rows[other]] = [rows[other]!, rows[at]!];
    }
    return rows;
  };
  const transactionOrder = order(input.transactions.length);
  const newTransaction = (row: number): number => (row === -1 ? -1 : transactionOrder.indexOf(row));
  const side = (one: ComparisonSide): ComparisonSide => {
    const processOrder = order(one.processes.length);
    const samples = order(one.samples.stack.length);
    const counts = order(one.counts.count.length);
    return {
      ...one,
      processes: processOrder.map((row) => one.processes[row]!),
      samples: {
        process: Uint32Array.from(samples, (row) => processOrder.indexOf(one.samples.process[row]!)),
        windowStartMs: Float64Array.from(samples, (row) => one.samples.windowStartMs[row]!),
        transaction: Int32Array.from(samples, (row) => newTransaction(one.samples.transaction[row]!)),
        stack: Int32Array.from(samples, (row) => one.samples.stack[row]!),
        value: Float64Array.from(samples, (row) => one.samples.value[row]!),
        count: Float64Array.from(samples, (row) => one.samples.count[row]!),
      },
      counts: {
        process: Uint32Array.from(counts, (row) => processOrder.indexOf(one.counts.process[row]!)),
        windowStartMs: Float64Array.from(counts, (row) => one.counts.windowStartMs[row]!),
        transaction: Uint32Array.from(counts, (row) => newTransaction(one.counts.transaction[row]!)),
        count: Float64Array.from(counts, (row) => one.counts.count[row]!),
        errors: Float64Array.from(counts, (row) => one.counts.errors[row]!),
        durationSumMicros: Float64Array.from(counts, (row) => one.counts.durationSumMicros[row]!),
      },
    };
  };
  return {
    ...input,
    transactions: transactionOrder.map((row) => input.transactions[row]!),
    baseline: side(input.baseline),
    candidate: side(input.candidate),
  };
}

export function exchanged(input: ComparisonInput): ComparisonInput {
  return { ...input, baseline: input.candidate, candidate: input.baseline };
}
