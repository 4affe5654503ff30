import { decodeBatchesApart } from '@hearth/wire-format';
import { inflateBody, type ContentEncoding } from '../../platform/http/inflate.js';
import { canonicalBatch, type CanonicalBatch } from './canonical-batch.js';
import { withRecordedLines } from './recorded-lines.js';
import { faultOf, type WorkerFault } from '../../platform/worker-pool/worker-fault.js';

export interface DecodeBatchesTask {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly encoding: ContentEncoding;
  readonly maxInflatedBytes: number;
  /** Memory that the batches may take. Default: that of the format. */
  readonly maxDecodedBytes?: number;
  /** Of lines, see `recordedLines`. */
  readonly maxLineVisits?: number;
}

export interface DecodedBody {
  readonly batches: readonly CanonicalBatch[];
  /** One for each batch that cannot be read. */
  readonly faults: readonly WorkerFault[];
  /** Memory that the batches take, roughly. */
  readonly decodedBytes: number;
}

/** Inflates, checks and renames: in the process for small bodies, in a thread of the pool for others. */
export function run({ body, encoding, maxInflatedBytes, maxDecodedBytes, maxLineVisits }: DecodeBatchesTask): DecodedBody {
  try {
    const limits = maxDecodedBytes === undefined ? {} : { maxDecodedBytes };
    const decoded = decodeBatchesApart(inflateBody(body, encoding, maxInflatedBytes), limits);
    const batches: CanonicalBatch[] = [];
    const faults = decoded.errors.map(faultOf);
    let { decodedBytes } = decoded;
    for (const raw of decoded.batches) {
      try {
        const { batch, bytes } = withRecordedLines(canonicalBatch(raw), raw, maxLineVisits);
        batches.push(batch);
        decodedBytes += bytes;
      } catch (error) {
        faults.push(faultOf(error));
      }
    }
    return { batches, faults, decodedBytes };
  } catch (error) {
    return { batches: [], faults: [faultOf(error)], decodedBytes: 0 };
  }
}
