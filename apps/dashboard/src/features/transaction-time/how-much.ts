import type { ExemplarAnswer } from '@hearth/query-contract';
import { formatCount, formatQuantity } from '../../format/quantity.js';

type Kept = Pick<ExemplarAnswer, 'durationMicros' | 'sampleCount' | 'keptSampleCount' | 'waitCount' | 'rateHz'> & {
  readonly waits: Pick<ExemplarAnswer['waits'], 'startMicros'>;
  readonly samples: Pick<ExemplarAnswer['samples'], 'wallMicros'>;
};

/** Samples that each stand for so much less than one of the process' rate were taken at a higher one. */
const RAISED = 1.5;

/** How much of a run is known, so that nobody reads more into five samples than is there. */
export function howMuch({
  durationMicros,
  sampleCount,
  keptSampleCount,
  waitCount,
  rateHz,
  waits,
  samples: { wallMicros },
}: Kept): string {
  const sentences: string[] = [];
  const duration = formatQuantity(durationMicros, 'microseconds');
  if (sampleCount === 0) {
    sentences.push(
      'No samples: none was taken while it ran, or they could not be told apart from others of the same transaction.',
    );
  } else {
    const samples = sampleCount === 1 ? '1 sample' : `${formatCount(sampleCount)} samples`;
    sentences.push(
      keptSampleCount < sampleCount ? `${samples}, of which ${formatCount(keptSampleCount)} are kept.` : `${samples}.`,
    );
  }
  if (rateHz !== null && rateHz > 0) {
    const seenHz = 1e6 / median(wallMicros);
    const isRaised = seenHz > RAISED * rateHz;
    const hz = isRaised ? seenHz : rateHz;
    const expected = (durationMicros * hz) / 1e6;
    const rate = isRaised ? `about ${formatCount(hz)} Hz, to which the rate was raised` : `${hz} Hz`;
    sentences.push(
      `A run of ${duration} that runs all the time has ${expected < 1 ? 'less than one' : `about ${formatCount(expected)}`} at ${rate}: what took less than ${formatQuantity(1e6 / hz, 'microseconds')} may be missing.`,
    );
  }
  const keptWaits = waits.startMicros.length;
  if (keptWaits < waitCount) sentences.push(`Of ${formatCount(waitCount)} waits ${formatCount(keptWaits)} are kept.`);
  return sentences.join(' ');
}

/** `Infinity` of none. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Infinity;
}
