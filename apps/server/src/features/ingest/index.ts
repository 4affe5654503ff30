export { IngestModule } from './ingest.module.js';
export { IngestGate } from './ingest-gate.js';
