import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { parseRedisUrl } from '../platform/queue/redis-url.js';

const ROLES = ['api', 'worker', 'all'] as const;
export type Role = (typeof ROLES)[number];

/** What the server was told at its start. Units are in the names. */
export interface Environment {
  /** Address to listen on. */
  readonly host: string;
  readonly port: number;
  readonly role: Role;
  /** `undefined`: the embedded Postgres in `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly databasePoolSize: number;
  /** A streaming replica for questions. `undefined`: they go to the database itself. */
  readonly databaseReadUrl: string | undefined;
  /** A replica that is further behind is not asked. */
  readonly databaseReadMaxLagMs: number;
  /** `undefined`: the queue lives in Postgres. */
  readonly redisUrl: string | undefined;
  /** Where the queue in Postgres is, if not in `databaseUrl`: it needs sessions of its own. */
  readonly queueDatabaseUrl: string | undefined;
  readonly dataDir: string;
  /** Of one request, as it came over the wire. */
  readonly maxBatchBytes: number;
  /** Of one request after inflation. */
  readonly maxInflatedBytes: number;
  /** Bodies that ingest holds at once, as they come and then as they are decoded; above it senders are told to wait. */
  readonly maxQueuedBytes: number;
  /** Free on the disk of the embedded Postgres, or up to `maxDatabaseBytes`, below which nothing is taken in. */
  readonly minFreeDiskBytes: number;
  /** `undefined`: the database may fill its disk. */
  readonly maxDatabaseBytes: number | undefined;
  /** Of one source map, inflated. */
  readonly maxSourceMapBytes: number;
  /** Of all source maps of a project, as they are stored. */
  readonly maxSourceMapsTotalBytes: number;
  readonly workerThreads: number;
  /** Windows that may wait to be built before ingest tells senders to wait. */
  readonly maxPendingWindows: number;
  /** How often a worker looks for pending work, and an api process how much there is. */
  readonly tickMs: number;
  /** Becomes an admin key of the default project at the first start. */
  readonly bootstrapKey: string | undefined;
  readonly adminEmail: string;
  /** `undefined`: one is made up and printed once. */
  readonly adminPassword: string | undefined;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
}

/** For injection: `@Inject(ENVIRONMENT) environment: Environment`. */
export const ENVIRONMENT = Symbol('ENVIRONMENT');

/** A variable is missing or wrong. The message is one line that names it. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/** A deletion holds two for its locks and works on a third. */
const MIN_POOL_SIZE = 4;
const wholeNumber = (what: string, min: number, max: number) => {
  const fault = `must be ${what}, ${min} to ${max}`;
  return z.coerce.number(fault).int(fault).min(min, fault).max(max, fault);
};
const count = (what: string, min: number, max: number, fallback: number) => wholeNumber(what, min, max).default(fallback);
const bytes = (fallback: number) => count('a number of bytes', 1024, 2 ** 31 - 1, fallback);
const postgresUrl = z
  .string()
  .refine(
    (text) => URL.canParse(text) && ['postgres:', 'postgresql:'].includes(new URL(text).protocol),
    'must be a URL that begins with postgres:// or postgresql://',
  )
  .optional();

/** Every variable there is; .env.example explains each to its reader. */
const schema = z.object({
  HOST: z.string().default('0.0.0.0'),
  PORT: count('a port', 1, 65_535, 4040),
  HEARTH_ROLE: z.enum(ROLES, 'must be api, worker or all').default('all'),
  DATABASE_URL: postgresUrl,
  DATABASE_POOL_SIZE: count('a number of connections', MIN_POOL_SIZE, 500, 10),
  DATABASE_READ_URL: postgresUrl,
  DATABASE_READ_MAX_LAG_MS: count('a number of milliseconds', 1_000, 3_600_000, 10_000),
  REDIS_URL: z
    .string()
    .refine(
      (text) => parseRedisUrl(text) !== undefined,
      'must be a URL that begins with redis:// or rediss://, or redis-cluster://host:port,host:port or rediss-cluster://...',
    )
    .optional(),
  QUEUE_DATABASE_URL: postgresUrl,
  HEARTH_DATA_DIR: z.string().optional(),
  MAX_BATCH_BYTES: bytes(8 * 2 ** 20),
  MAX_INFLATED_BYTES: bytes(64 * 2 ** 20),
  MAX_QUEUED_BYTES: bytes(256 * 2 ** 20),
  MIN_FREE_DISK_BYTES: count('a number of bytes', 0, 2 ** 50, 2 ** 30),
  MAX_DATABASE_BYTES: wholeNumber('a number of bytes', 2 ** 20, 2 ** 50).optional(),
  MAX_SOURCE_MAP_BYTES: bytes(32 * 2 ** 20),
  MAX_SOURCE_MAPS_TOTAL_BYTES: count('a number of bytes', 1024, 2 ** 50, 2 ** 30),
  WORKER_THREADS: count('a number of threads', 1, 256, 2),
  MAX_PENDING_WINDOWS: count('a number of windows', 1, 2 ** 31 - 1, 200_000),
  TICK_MS: count('a number of milliseconds', 50, 60_000, 1_000),
  HEARTH_BOOTSTRAP_KEY: z.string().min(16, 'must have at least 16 characters').max(200).optional(),
  HEARTH_ADMIN_EMAIL: z.string().min(1).max(200).default('admin@localhost'),
  HEARTH_ADMIN_PASSWORD: z.string().min(8, 'must have at least 8 characters').max(200).optional(),
  LOG_LEVEL: z
    .enum(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'must be fatal, error, warn, info, debug, trace or silent',
    )
    .default('info'),
});

/** @throws {EnvironmentError} naming the first bad variable, never its value: it may be a secret. */
export function parseEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  // An empty variable is one that was not set: compose files pass `X=${X:-}`.
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new EnvironmentError(`${String(issue.path[0])} is not usable: ${issue.message}`);
  }
  const values = parsed.data;
  if (values.HEARTH_ROLE !== 'all' && values.DATABASE_URL === undefined) {
    throw new EnvironmentError(
      `DATABASE_URL is missing: HEARTH_ROLE=${values.HEARTH_ROLE} shares its database with other processes (the embedded Postgres is for HEARTH_ROLE=all)`,
    );
  }
  if (values.DATABASE_READ_URL !== undefined && values.DATABASE_URL === undefined)
    throw new EnvironmentError(
      'DATABASE_URL is missing: DATABASE_READ_URL is for a replica of it, and the embedded Postgres has none',
    );
  return {
    host: values.HOST,
    port: values.PORT,
    role: values.HEARTH_ROLE,
    databaseUrl: values.DATABASE_URL,
    databasePoolSize: values.DATABASE_POOL_SIZE,
    databaseReadUrl: values.DATABASE_READ_URL,
    databaseReadMaxLagMs: values.DATABASE_READ_MAX_LAG_MS,
    redisUrl: values.REDIS_URL,
    queueDatabaseUrl: values.QUEUE_DATABASE_URL,
    dataDir: path.resolve(values.HEARTH_DATA_DIR ?? defaultDataDir()),
    maxBatchBytes: values.MAX_BATCH_BYTES,
    maxInflatedBytes: values.MAX_INFLATED_BYTES,
    maxQueuedBytes: values.MAX_QUEUED_BYTES,
    minFreeDiskBytes: values.MIN_FREE_DISK_BYTES,
    maxDatabaseBytes: values.MAX_DATABASE_BYTES,
    maxSourceMapBytes: values.MAX_SOURCE_MAP_BYTES,
    maxSourceMapsTotalBytes: values.MAX_SOURCE_MAPS_TOTAL_BYTES,
    workerThreads: values.WORKER_THREADS,
    maxPendingWindows: values.MAX_PENDING_WINDOWS,
    tickMs: values.TICK_MS,
    bootstrapKey: values.HEARTH_BOOTSTRAP_KEY,
    adminEmail: values.HEARTH_ADMIN_EMAIL,
    adminPassword: values.HEARTH_ADMIN_PASSWORD,
    logLevel: values.LOG_LEVEL,
  };
}

/** The environment of this process. @throws {EnvironmentError} */
export function readEnvironment(): Environment {
  return parseEnvironment(process.env);
}

/** For root a folder that everybody may enter, because Postgres then runs as another user. */
function defaultDataDir(): string {
  return process.getuid?.() === 0 ? '/var/lib/hearth' : path.join(homedir(), '.hearth');
}
