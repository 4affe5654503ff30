import { decodeBatchesApart } from '@hearth/wire-format';
import { inflateBody, type ContentEncoding } from '../../platform/http/inflate.js';
import { canonicalBatch, type CanonicalBatch } from './canonical-batch.js';
import { faultOf, type WorkerFault } from './worker-fault.js';

export interface DecodeBatchesTask {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly encoding: ContentEncoding;
  readonly maxInflatedBytes: number;
  /** Memory that the batches may take. Default: that of the format. */
  readonly maxDecodedBytes?: number;
}

export interface DecodedBody {
  readonly batches: readonly CanonicalBatch[];
  /** One for each batch that cannot be read. */
  readonly faults: readonly WorkerFault[];
  /** Memory that the batches take, roughly. */
  readonly decodedBytes: number;
}

/** Inflates, checks and renames: in the process for small bodies, in a thread of the pool for others. */
export function run({ body, encoding, maxInflatedBytes, maxDecodedBytes }: DecodeBatchesTask): DecodedBody {
  try {
    const limits = maxDecodedBytes === undefined ? {} : { maxDecodedBytes };
    const { batches, errors, decodedBytes } = decodeBatchesApart(inflateBody(body, encoding, maxInflatedBytes), limits);
    return { batches: batches.map(canonicalBatch), faults: errors.map(faultOf), decodedBytes };
  } catch (error) {
    return { batches: [], faults: [faultOf(error)], decodedBytes: 0 };
  }
}
