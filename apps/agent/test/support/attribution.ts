import type { Batch } from '@hearth/wire-format';
import { flatSamples, nameOf } from './sink.js';

/**
 * Samples of functions that are named after what they work for: all, and those of another transaction than theirs, or of none.
 *
 * @param transactionOf - By the name of the function.
 */
export function attribution(
  batches: readonly Batch[],
  transactionOf: Readonly<Record<string, string>>,
): { checked: number; wrong: number } {
  let [checked, wrong] = [0, 0];
  for (const { labels, functionsRootFirst, count } of batches.flatMap((batch) => flatSamples(batch, 'cpu'))) {
    const kind = functionsRootFirst.find((name) => Object.hasOwn(transactionOf, name));
    if (kind === undefined) continue;
    checked += count;
    if (nameOf(labels) !== transactionOf[kind]) wrong += count;
  }
  return { checked, wrong };
}
