import { Global, Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { Counter, Gauge } from 'prom-client';
import { DataSource } from 'typeorm';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { dataSourceOptions } from './database/data-source.js';
import { ReadDatabase } from './database/read-database.js';
import { StorageRoom } from './database/storage-room.js';
import { LOGGER } from './observability/logger.js';
import { Metrics } from './observability/metrics.js';
import { JobRunner } from './queue/job-runner.js';
import { Queues } from './queue/queues.js';
import { Ticks } from './queue/ticks.js';
import { WorkerPool } from './worker-pool/worker-pool.js';

/** What every feature may inject: the environment, the data source, the queue, the threads, the log, the metrics. */
@Global()
@Module({})
export class PlatformModule {
  /** @param databaseUrl - Of the database that is really used: the embedded one has its address only after it started. */
  static for(environment: Environment, databaseUrl: string, logger: Logger): DynamicModule {
    const queueBackend =
      environment.redisUrl === undefined
        ? { backend: 'postgres' as const, url: environment.queueDatabaseUrl ?? databaseUrl }
        : { backend: 'redis' as const, url: environment.redisUrl };
    const providers = [
      { provide: ENVIRONMENT, useValue: environment },
      { provide: LOGGER, useValue: logger },
      { provide: Metrics, useFactory: () => new Metrics() },
      {
        provide: ReadDatabase,
        useFactory: (primary: DataSource, metrics: Metrics) => readDatabase(primary, environment, metrics, logger),
        inject: [DataSource, Metrics],
      },
      { provide: Queues, useFactory: () => new Queues(queueBackend, logger) },
      { provide: JobRunner, useFactory: (queues: Queues) => new JobRunner(queues), inject: [Queues] },
      { provide: Ticks, useFactory: () => new Ticks(logger) },
      {
        provide: StorageRoom,
        useFactory: (dataSource: DataSource, metrics: Metrics) =>
          new StorageRoom(
            dataSource,
            {
              dataDir: environment.databaseUrl === undefined ? environment.dataDir : undefined,
              minFreeBytes: environment.minFreeDiskBytes,
              maxDatabaseBytes: environment.maxDatabaseBytes,
            },
            metrics,
          ),
        inject: [DataSource, Metrics],
      },
      { provide: WorkerPool, useFactory: () => new WorkerPool(environment.workerThreads) },
    ];
    return {
      module: PlatformModule,
      imports: [
        TypeOrmModule.forRoot({
          ...dataSourceOptions({ url: databaseUrl, poolSize: environment.databasePoolSize }),
          autoLoadEntities: true,
          retryAttempts: 0, // the migrations have just used this database
        }),
      ],
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }
}

function readDatabase(
  primary: DataSource,
  { databaseReadUrl: url, databaseReadMaxLagMs: maxLagMs, databasePoolSize: poolSize }: Environment,
  { registry }: Metrics,
  logger: Logger,
): ReadDatabase {
  if (url === undefined) return new ReadDatabase(primary);
  const reads = new Counter({
    name: 'database_reads_total',
    help: 'Reads of profiles, transactions and series, by the database that answered',
    labelNames: ['database'] as const,
    registers: [registry],
  });
  const readDatabase = new ReadDatabase(primary, {
    replica: { url, maxLagMs, poolSize },
    onRead: (database) => {
      reads.inc({ database });
    },
    onChange: (message, detail) => {
      logger.warn(detail, message);
    },
  });
  new Gauge({
    name: 'database_replica_lag_seconds',
    help: 'The replica holds everything that was committed so long ago; +Inf: it is away, or no replica of this database',
    registers: [registry],
    collect() {
      this.set(readDatabase.lagMs! / 1_000);
    },
  });
  return readDatabase;
}
