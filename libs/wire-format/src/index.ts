export { BATCH_CONTENT_TYPE, RECORDED_LINES, WIRE_VERSION } from './batch.js';
export type {
  AgentReport,
  Batch,
  BatchProcess,
  BatchProfile,
  ProcessSeriesValue,
  RawFunctionTable,
  RecordedLines,
  TransactionCount,
} from './batch.js';
export {
  MAX_CONTEXT_LABELS,
  MAX_EXEMPLARS,
  MAX_EXEMPLAR_SAMPLES,
  MAX_EXEMPLAR_SPANS,
  MAX_EXEMPLAR_WAITS,
  NO_SPAN,
} from './exemplar.js';
export type { Exemplar, ExemplarSamples, ExemplarSpans, ExemplarWaits } from './exemplar.js';
export { ColumnReader, DEFAULT_COLUMN_LIMITS } from './column-reader.js';
export type { ColumnLimits } from './column-reader.js';
export { ColumnWriter } from './column-writer.js';
export { decodeBatches, decodeBatchesApart } from './decode-batches.js';
export type { DecodedBatches } from './decode-batches.js';
export { DEFAULT_DECODE_LIMITS } from './decode-limits.js';
export type { DecodeLimits } from './decode-limits.js';
export { BATCH_MAGIC, encodeBatch } from './encode-batch.js';
export { WireError } from './errors.js';
export type { WireErrorCode } from './errors.js';
export { COUNTED_KINDS, OUTCOMES, TRANSACTION_KINDS } from './transaction-ends.js';
export type { CountedKind, Outcome, TransactionKind } from './transaction-ends.js';
