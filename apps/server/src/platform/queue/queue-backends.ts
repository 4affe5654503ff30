import { createPostgresBackend, createRedisBackend, withBackend } from 'bullmq';
import { connectRedisCluster } from './redis-cluster.js';
import { parseRedisUrl } from './redis-url.js';

/** Where the queue lives: a schema `bullmq` in our database, or Redis, one server or a cluster. */
export interface QueueBackend {
  readonly backend: 'postgres' | 'redis';
  readonly url: string;
}

/** A job as its worker sees it. */
export interface QueuedJob {
  readonly id?: string | undefined;
  readonly data: unknown;
  readonly attemptsMade: number;
}
export interface AddOptions {
  readonly jobId: string;
  readonly attempts: number;
  readonly backoff: { readonly type: 'exponential'; readonly delay: number };
  readonly removeOnComplete: boolean;
  readonly removeOnFail: boolean;
}
export interface WorkOptions {
  readonly concurrency: number;
  readonly stalledInterval: number;
}

interface Connected {
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}
export interface OpenQueue extends Connected {
  add(name: string, payload: unknown, options: AddOptions): Promise<unknown>;
  getWaitingCount(): Promise<number>;
}
export interface OpenWorker extends Connected {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'failed', listener: (job: QueuedJob | undefined, error: Error) => void): unknown;
}

/** BullMQ on one backend: its classes are typed by their backend and connection, which those who use a queue need not know. */
export interface QueueClasses {
  openQueue(name: string): OpenQueue;
  openWorker(name: string, run: (job: QueuedJob) => Promise<unknown>, options: WorkOptions): OpenWorker;
  /** Once all queues and workers are closed. */
  disconnect(): void;
}

export function connectQueues({ backend, url }: QueueBackend): QueueClasses {
  return backend === 'postgres' ? onPostgres(url) : onRedis(url);
}

function onPostgres(url: string): QueueClasses {
  const { Queue, Worker } = withBackend(createPostgresBackend);
  const connection = { connectionString: url, max: 3, migrate: true }; // without migrate it only checks the version of its tables
  return {
    openQueue: (name) => new Queue(name, { connection }),
    openWorker: (name, run, options) => new Worker(name, run, { ...options, connection }),
    disconnect: () => undefined,
  };
}

function onRedis(url: string): QueueClasses {
  const { Queue, Worker } = withBackend(createRedisBackend);
  const redis = parseRedisUrl(url);
  // One connection for all queues; each worker makes another for itself, because it blocks.
  const cluster = redis?.kind === 'cluster' ? connectRedisCluster(redis) : undefined;
  // Without a listener an error would end the process; the queues tell of it.
  cluster?.on('error', () => undefined);
  /** In a cluster all keys of a queue must be in one slot, which what is in braces names; a name for each queue spreads them over the masters. */
  const place = (name: string) =>
    cluster === undefined
      ? { connection: { url, maxRetriesPerRequest: null } } // null: workers refuse a number
      : { connection: cluster, prefix: `{hearth.${name}}` };
  return {
    openQueue: (name) => new Queue(name, place(name)),
    openWorker: (name, run, options) => new Worker(name, run, { ...options, ...place(name) }),
    disconnect: () => cluster?.disconnect(),
  };
}
