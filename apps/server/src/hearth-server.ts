import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import type { Environment } from './config/environment.js';
import { MIGRATIONS } from './migrations/index.js';
import { runMigrations } from './platform/database/index.js';
import { EmbeddedPostgres } from './platform/embedded-postgres/index.js';
import { configureHttp, configureOpenApi, HearthError, isDatabaseAway } from './platform/http/index.js';
import { createLogger, Metrics, nestLogger } from './platform/observability/index.js';
import { PlatformModule } from './platform/platform.module.js';
import { ROLE_MODULES } from './roles/index.js';
import { VERSION } from './version.js';

/** How long a start waits for a database that is not there yet, as when all containers start together. */
const DATABASE_WAIT_MS = 30_000;
/** How long a stop lets requests finish. */
const HTTP_DRAIN_MS = 10_000;

/** The start cannot go on. The message is one line that says what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

@Module({})
class ServerModule {}

/** A started server of one role, with its database if that is embedded. */
export class HearthServer {
  readonly #app: NestExpressApplication;
  readonly #postgres: EmbeddedPostgres | undefined;
  readonly #logger: Logger;
  #stopped: Promise<void> | undefined;

  private constructor(app: NestExpressApplication, postgres: EmbeddedPostgres | undefined, logger: Logger) {
    this.#app = app;
    this.#postgres = postgres;
    this.#logger = logger;
  }

  /** @throws {StartError | PostgresStartError | HearthError} with one clear line; whatever had started is stopped again. */
  static async start(environment: Environment): Promise<HearthServer> {
    const logger = createLogger(environment.logLevel);
    await assertPortFree(environment); // before anything that takes time or leaves something behind
    const postgres = environment.databaseUrl === undefined ? await startEmbedded(environment, logger) : undefined;
    try {
      const databaseUrl = environment.databaseUrl ?? postgres!.url();
      const migrated = await migrate(databaseUrl, logger);
      if (migrated.length > 0) logger.info({ migrated }, 'database is up to date');
      const app = await createApp(environment, databaseUrl, logger);
      const server = new HearthServer(app, postgres, logger);
      try {
        await app.listen(environment.port, environment.host);
      } catch (error) {
        await app.close();
        throw portError(environment, error);
      }
      logger.info(
        {
          role: environment.role,
          port: environment.port,
          database: postgres === undefined ? 'external' : 'embedded',
          queue: environment.redisUrl === undefined ? 'postgres' : 'redis',
        },
        'Hearth is ready',
      );
      return server;
    } catch (error) {
      await postgres?.stop();
      throw error;
    }
  }

  /** HTTP first, then workers, threads and pools, then the embedded Postgres: nobody loses what they still use. */
  async stop(reason: string): Promise<void> {
    this.#stopped ??= this.#stop(reason);
    return this.#stopped;
  }

  async #stop(reason: string): Promise<void> {
    this.#logger.info({ reason }, 'Hearth is stopping');
    const http = this.#app.getHttpServer() as import('node:http').Server;
    const closed = new Promise<void>((resolve) => {
      http.close(() => {
        resolve();
      });
    });
    http.closeIdleConnections();
    await Promise.race([closed, sleep(HTTP_DRAIN_MS, undefined, { ref: false })]);
    http.closeAllConnections();
    await this.#app.close();
    await this.#postgres?.stop();
    this.#logger.info('Hearth has stopped');
  }
}

/** The Nest application of a role, over a migrated database; tests make it without listening. */
export async function createApp(environment: Environment, databaseUrl: string, logger: Logger): Promise<NestExpressApplication> {
  const root: DynamicModule = {
    module: ServerModule,
    imports: [PlatformModule.for(environment, databaseUrl, logger), ROLE_MODULES[environment.role]],
  };
  const app = await NestFactory.create<NestExpressApplication>(root, {
    bodyParser: false,
    logger: nestLogger(logger),
    abortOnError: false,
  });
  configureHttp(app, logger, app.get(Metrics));
  configureOpenApi(app, VERSION);
  return app;
}

async function startEmbedded(environment: Environment, logger: Logger): Promise<EmbeddedPostgres> {
  const homeDir = path.join(environment.dataDir, 'postgres');
  logger.info({ homeDir }, 'starting the embedded Postgres');
  return EmbeddedPostgres.start({
    homeDir,
    onEvent: (message, detail) => {
      logger.error({ detail }, message);
    },
  });
}

async function migrate(databaseUrl: string, logger: Logger): Promise<string[]> {
  for (const untilMs = Date.now() + DATABASE_WAIT_MS; ;) {
    try {
      return await runMigrations(databaseUrl, MIGRATIONS, {
        onWait: (message) => {
          logger.warn(message);
        },
      });
    } catch (error) {
      if (error instanceof HearthError) throw error;
      if (!isDatabaseAway(error))
        throw new StartError(`the database cannot be used: ${(error as Error).message}`, { cause: error });
      if (Date.now() > untilMs)
        throw new StartError(
          `the database of DATABASE_URL does not answer for ${DATABASE_WAIT_MS / 1000} s: ${(error as Error).message}`,
          { cause: error },
        );
      logger.warn({ reason: (error as Error).message }, 'waiting for the database');
      await sleep(1_000);
    }
  }
}

async function assertPortFree({ port, host }: Environment): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error) => {
      reject(portError({ port, host }, error));
    });
    probe.listen(port, host, () => {
      probe.close(() => {
        resolve();
      });
    });
  });
}

function portError({ port, host }: Pick<Environment, 'port' | 'host'>, error: unknown): StartError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new StartError(`port ${port} is in use: stop the program that holds it, or set PORT`, { cause: error });
  return new StartError(`cannot listen on ${host}:${port}: ${message}`, { cause: error });
}
