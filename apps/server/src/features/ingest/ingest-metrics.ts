import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';
import { Metrics } from '../../platform/observability/index.js';

/** What came in, by outcome. */
@Injectable()
export class IngestMetrics {
  readonly batchBytes: Histogram;
  readonly batches: Counter<'outcome'>;
  readonly clockCorrected: Counter;
  readonly queuedBytes: Gauge;
  readonly commitSeconds: Histogram;
  readonly commitBatches: Histogram;

  constructor({ registry }: Metrics) {
    const registers = [registry];
    this.batchBytes = new Histogram({
      name: 'ingest_batch_bytes',
      help: 'Size of a request body as it came',
      buckets: [1e3, 4e3, 16e3, 64e3, 256e3, 1e6, 4e6],
      registers,
    });
    this.batches = new Counter({
      name: 'ingest_batches_total',
      help: 'Batches by outcome: stored, duplicate, or the code of the error',
      labelNames: ['outcome'],
      registers,
    });
    this.clockCorrected = new Counter({
      name: 'ingest_clock_corrected_total',
      help: 'Batches whose clock was ahead: stored under our time',
      registers,
    });
    this.queuedBytes = new Gauge({ name: 'ingest_queued_bytes', help: 'Bytes of request bodies in memory now', registers });
    this.commitSeconds = new Histogram({
      name: 'ingest_commit_seconds',
      help: 'Time of one database transaction that stores a group of batches',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    });
    this.commitBatches = new Histogram({
      name: 'ingest_commit_batches',
      help: 'Batches stored in one database transaction',
      buckets: [1, 2, 5, 10, 50, 100, 500],
      registers,
    });
  }
}
