export { BATCH_CONTENT_TYPE, OUTCOMES, RECORDED_LINES, TRANSACTION_KINDS, WIRE_VERSION } from './batch.js';
export type {
  AgentReport,
  Batch,
  BatchProcess,
  BatchProfile,
  Outcome,
  ProcessSeriesValue,
  RawFunctionTable,
  RecordedLines,
  TransactionCount,
  TransactionKind,
} from './batch.js';
export { ColumnReader, DEFAULT_COLUMN_LIMITS } from './column-reader.js';
export type { ColumnLimits } from './column-reader.js';
export { ColumnWriter } from './column-writer.js';
export { DEFAULT_DECODE_LIMITS, decodeBatches, decodeBatchesApart } from './decode-batches.js';
export type { DecodedBatches, DecodeLimits } from './decode-batches.js';
export { BATCH_MAGIC, encodeBatch } from './encode-batch.js';
export { WireError } from './errors.js';
export type { WireErrorCode } from './errors.js';
