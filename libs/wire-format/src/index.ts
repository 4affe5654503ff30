export { BATCH_CONTENT_TYPE, OUTCOMES, TRANSACTION_KINDS, WIRE_VERSION } from './batch.js';
export type {
  AgentReport, Batch, BatchProcess, BatchProfile, Outcome, ProcessSeriesValue, RawFunctionTable, RecordedLines, TransactionCount, TransactionKind,
} from './batch.js';
