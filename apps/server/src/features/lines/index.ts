export { encodeLineCosts } from './line-cost-codec.js';
export { LineRecordings } from './line-recordings.repository.js';
export type { LineRecording, ReadRecording } from './line-recordings.repository.js';
export { LinesModule } from './lines.module.js';
