export {
  comparisonRequestSchema,
  apiKeyRequestSchema,
  deployRequestSchema,
  deploysQuerySchema,
  exportQuerySchema,
  functionsQuerySchema,
  labelsQuerySchema,
  linesQuerySchema,
  projectRequestSchema,
  quotaRequestSchema,
  sessionRequestSchema,
  timelineQuerySchema,
  transactionsQuerySchema,
} from './requests.js';
export type { ComparisonRequest, LinesRequest } from './requests.js';
export { commandRequestSchema } from './commands.js';
export type { CommandAnswer, CommandKind, CommandRequest, OfferedCommand } from './commands.js';
export { dataDeletionQuerySchema } from './deletion.js';
export type { DataDeletionRequest, DeletionAnswer, DeletionSelector, DeletionStatus } from './deletion.js';
export type { ExemplarAnswer, ExemplarFigures, ExemplarOutcome, ExemplarSummaryAnswer } from './exemplars.js';
export { measuresQuerySchema } from './measures.js';
export type { MeasureAnswer, MeasureFigures, MeasuresAnswer, MeasuresRequest } from './measures.js';
export { processMetricsQuerySchema } from './process-metrics.js';
export type { ProcessMetricsAnswer, ProcessMetricsRequest } from './process-metrics.js';
export { DEFAULT_RETENTION_DAYS, RETENTION_TIERS, retentionRequestSchema } from './retention.js';
export type { RetentionAmount, RetentionAnswer, RetentionDays, RetentionEstimateAnswer, RetentionTier } from './retention.js';
export { sourceMapClaimsSchema, sourceMapRevisionSchema, sourceMapsQuerySchema, sourceMapUploadSchema } from './source-maps.js';
export type {
  MinifiedFileAnswer,
  RemovedSourceMapsAnswer,
  SourceMapAnswer,
  SourceMapClaimsAnswer,
  SourceMapClaimState,
  SourceMapsAnswer,
} from './source-maps.js';
export { DEFAULT_MAX_NODES, selectionSchema, timeSchema } from './selection.js';
export type { ResolvedSelection, Selection, SelectionInput } from './selection.js';
export type {
  ApiKeyAnswer,
  BatchesAnswer,
  ComparisonAnswer,
  ComparisonStatus,
  DeployAnswer,
  FlameGraphAnswer,
  FunctionsAnswer,
  HealthAnswer,
  LabelsAnswer,
  LabelValuesAnswer,
  LimitsAnswer,
  LinesAnswer,
  PinAnswer,
  Problem,
  ProcessAnswer,
  RevisionAnswer,
  ServiceAnswer,
  SessionAnswer,
  TimelineAnswer,
  TransactionAnswer,
  TransactionDetailAnswer,
  TransactionsAnswer,
} from './answers.js';
