import { describe, expect, it } from 'vitest';
import { howMuch } from './how-much.js';

const run = {
  durationMicros: 50_000,
  sampleCount: 5,
  keptSampleCount: 5,
  waitCount: 1,
  rateHz: 99,
  waits: { startMicros: [0] },
  samples: { wallMicros: [10_100, 10_100, 10_100, 10_100, 9_000] },
};

describe('howMuch', () => {
  it('says how many samples there are, and how many there would be', () => {
    expect(howMuch(run)).toMatch(
      /^5 samples\. A run of 50.ms that runs all the time has about 5 at 99 Hz: what took less than 10\.1.ms/,
    );
  });
  it('knows a raised rate by what its samples stand for', () => {
    expect(howMuch({ ...run, sampleCount: 25, keptSampleCount: 25, samples: { wallMicros: Array(25).fill(2_000) } })).toMatch(
      /^25 samples\. .* about 25 at about 500 Hz, to which the rate was raised: what took less than 2.ms/,
    );
  });
  it('says what is not kept', () => {
    expect(howMuch({ ...run, sampleCount: 9_000, keptSampleCount: 2_000, waitCount: 700 })).toMatch(
      /^9,000 samples, of which 2,000 are kept\. .* Of 700 waits 1 are kept\.$/,
    );
  });
  it('does not promise a sample to a run that is too short, nor a rate where it is not known', () => {
    expect(howMuch({ ...run, durationMicros: 8_000, sampleCount: 0, keptSampleCount: 0, samples: { wallMicros: [] } })).toMatch(
      /^No samples: .* less than one at 99 Hz/,
    );
    expect(howMuch({ ...run, rateHz: null, sampleCount: 1, keptSampleCount: 1 })).toBe('1 sample.');
  });
});
