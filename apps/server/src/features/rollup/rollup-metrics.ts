import { Injectable } from '@nestjs/common';
import { Gauge, Histogram } from 'prom-client';
import { Metrics } from '../../platform/observability/index.js';

/** How far behind the building of segments is. */
@Injectable()
export class RollupMetrics {
  readonly pendingWindows: Gauge;
  readonly oldestPendingSeconds: Gauge;
  readonly buildSeconds: Histogram;

  constructor({ registry }: Metrics) {
    const registers = [registry];
    this.pendingWindows = new Gauge({
      name: 'rollup_pending_windows',
      help: 'Windows with profiles that no segment holds yet, those of the current minute included',
      registers,
    });
    this.oldestPendingSeconds = new Gauge({
      name: 'rollup_oldest_pending_seconds',
      help: 'Age of the oldest such window; 0 if there is none. Above a few minutes: workers are behind, or a block is damaged',
      registers,
    });
    this.buildSeconds = new Histogram({
      name: 'rollup_build_seconds',
      help: 'Time to build one window, its database transaction included',
      buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    });
  }
}
