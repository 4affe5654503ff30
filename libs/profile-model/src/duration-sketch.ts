import { ProfileError } from './errors.js';
import type { Micros } from './units.js';

/** Each bucket reaches this much further than the one before; the middle of a bucket is then within 0.99 % of all of it. */
const GROWTH = 1.02;
const LOG_GROWTH = Math.log(GROWTH);
/** Durations of 0. */
const ZERO_BUCKET = -1;
/** The bucket of 2^53 microseconds. */
const LAST_BUCKET = Math.ceil(Math.log(Number.MAX_SAFE_INTEGER) / LOG_GROWTH);

/**
 * Durations counted in logarithmic buckets: small, exact to add up, and good for any quantile within 1 %.
 *
 * Bucket b holds whole microseconds in (1.02^(b-1), 1.02^b]; 0 has bucket -1, 1 has bucket 0, 2^53 has the last one. The buckets are
 * fixed for good: they are stored, and a change would need a new stored version.
 */
export class DurationSketch {
  readonly #counts = new Map<number, number>();
  #count = 0;

  /** How many durations are in it. */
  get count(): number {
    return this.#count;
  }

  /** @param micros - Rounded to whole microseconds. Less than 0 (a clock that was set back) and NaN count as 0. */
  add(micros: Micros, count = 1): void {
    this.#addTo(bucketOf(micros), count);
  }

  /** Changes this sketch. */
  merge(other: DurationSketch): void {
    for (const [bucket, count] of other.#counts) this.#addTo(bucket, count);
  }

  /**
   * The smallest duration that at least the share `q` of all does not exceed, with a relative error of at most 1 %.
   *
   * @param q - 0 to 1: .5 is the median.
   * @returns Microseconds; NaN for an empty sketch.
   */
  quantile(q: number): Micros {
    if (this.#count === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(q * this.#count));
    const { bucket, count } = this.toBuckets();
    let seen = 0;
    for (let at = 0; at < bucket.length; at += 1) {
      seen += count[at]!;
      if (seen >= rank) return middleOf(bucket[at]!);
    }
    return middleOf(bucket.at(-1)!);
  }

  /** Two columns of one length, buckets ascending, without empty buckets. */
  toBuckets(): { bucket: Int32Array; count: Float64Array } {
    const bucket = Int32Array.from(this.#counts.keys()).sort();
    return { bucket, count: Float64Array.from(bucket, (key) => this.#counts.get(key)!) };
  }

  /** @throws {ProfileError} `SKETCH_BUCKET` if the columns differ in length, a bucket does not exist, or a count is not a whole number from 0 */
  static fromBuckets(bucket: ArrayLike<number>, count: ArrayLike<number>): DurationSketch {
    if (bucket.length !== count.length) {
      throw new ProfileError('SKETCH_BUCKET', `${bucket.length} buckets with ${count.length} counts`);
    }
    const sketch = new DurationSketch();
    for (let at = 0; at < bucket.length; at += 1) {
      assertBucket(bucket[at]!, count[at]!);
      sketch.#addTo(bucket[at]!, count[at]!);
    }
    return sketch;
  }

  /** What `toBuckets` of `fromBuckets` gives, without a sketch where the columns are in order already. @throws {ProfileError} `SKETCH_BUCKET` */
  static checkedBuckets(bucket: Float64Array, count: Float64Array): { bucket: Int32Array; count: Float64Array } {
    const isInOrder =
      bucket.length === count.length && bucket.every((key, at) => count[at]! > 0 && (at === 0 || key > bucket[at - 1]!));
    if (!isInOrder) return DurationSketch.fromBuckets(bucket, count).toBuckets();
    for (let at = 0; at < bucket.length; at += 1) assertBucket(bucket[at]!, count[at]!);
    return { bucket: Int32Array.from(bucket), count };
  }

  #addTo(bucket: number, count: number): void {
    if (count === 0) return;
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
    this.#count += count;
  }
}

function assertBucket(bucket: number, count: number): void {
  if (!Number.isInteger(bucket) || bucket < ZERO_BUCKET || bucket > LAST_BUCKET || !Number.isSafeInteger(count) || count < 0)
    throw new ProfileError('SKETCH_BUCKET', `bucket ${bucket} with count ${count}`);
}

function bucketOf(micros: Micros): number {
  const whole = Math.round(micros);
  if (!(whole > 0)) return ZERO_BUCKET;
  return Math.min(LAST_BUCKET, Math.ceil(Math.log(whole) / LOG_GROWTH));
}

/** The duration whose relative distance to both ends of the bucket is equal. */
function middleOf(bucket: number): Micros {
  return bucket === ZERO_BUCKET ? 0 : (2 * GROWTH ** bucket) / (1 + GROWTH);
}
