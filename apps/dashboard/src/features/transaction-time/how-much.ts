import type { ExemplarAnswer } from '@hearth/query-contract';
import { formatCount, formatQuantity } from '../../format/quantity.js';

type Kept = Pick<ExemplarAnswer, 'durationMicros' | 'sampleCount' | 'keptSampleCount' | 'waitCount' | 'rateHz'> & {
  readonly waits: Pick<ExemplarAnswer['waits'], 'startMicros'>;
};

/** How much of a run is known, so that nobody reads more into five samples than is there. */
export function howMuch({ durationMicros, sampleCount, keptSampleCount, waitCount, rateHz, waits }: Kept): string {
  const sentences: string[] = [];
  const duration = formatQuantity(durationMicros, 'microseconds');
  if (sampleCount === 0) {
    sentences.push(
      `No samples: none was taken while it ran, or they could not be told apart from others of the same transaction.`,
    );
  } else {
    const samples = sampleCount === 1 ? '1 sample' : `${formatCount(sampleCount)} samples`;
    sentences.push(
      keptSampleCount < sampleCount ? `${samples}, of which ${formatCount(keptSampleCount)} are kept.` : `${samples}.`,
    );
  }
  if (rateHz !== null && rateHz > 0) {
    const expected = (durationMicros * rateHz) / 1e6;
    sentences.push(
      `A run of ${duration} that runs all the time has ${expected < 1 ? 'less than one' : `about ${formatCount(expected)}`} at ${rateHz} Hz: what took less than ${formatQuantity(1e6 / rateHz, 'microseconds')} may be missing.`,
    );
  }
  const keptWaits = waits.startMicros.length;
  if (keptWaits < waitCount) sentences.push(`Of ${formatCount(waitCount)} waits ${formatCount(keptWaits)} are kept.`);
  return sentences.join(' ');
}
