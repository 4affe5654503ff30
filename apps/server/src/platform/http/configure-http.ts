import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import express, { type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import type { Metrics } from '../observability/metrics.js';
import { ProblemFilter } from './problem-filter.js';

/** Below /api. What is sent here may be JSON too (.cpuprofile, source maps), but is larger: who takes it in bounds and reads it after it knows the sender. */
const INGEST_PATH = /^\/v1\/(batches|profiles|source-maps)\/?$/i;

/** Longer than load balancers keep idle connections (60 s): else they send requests into one that is being closed. */
const KEEP_ALIVE_MS = 65_000;

/** What every route has: security headers, JSON bodies, log and metrics, problem details. Bodies of profiles are read by ingest itself. */
export function configureHttp(app: NestExpressApplication, logger: Logger, metrics: Metrics): void {
  app.disable('x-powered-by');
  app.getHttpServer().keepAliveTimeout = KEEP_ALIVE_MS;
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'self'"],
          // The component library writes style attributes.
          styleSrc: ["'self'", "'unsafe-inline'"],
          imgSrc: ["'self'", 'data:', 'blob:'],
          workerSrc: ["'self'", 'blob:'],
          objectSrc: ["'none'"],
          frameAncestors: ["'none'"],
          baseUri: ["'self'"],
          formAction: ["'self'"],
        },
      },
      // Hearth is mostly reached by plain HTTP inside a network; whoever puts TLS in front sets this there.
      strictTransportSecurity: false,
      crossOriginOpenerPolicy: false,
      originAgentCluster: false,
    }),
  );
  app.use((request: Request, response: Response, next: NextFunction) => {
    const startedAt = performance.now();
    const { method, originalUrl } = request;
    response.once('close', () => {
      // The pattern, never the path as sent: that would be one series for every id.
      const route = (request.route as { path?: unknown } | undefined)?.path;
      const { statusCode } = response;
      const durationMs = performance.now() - startedAt;
      metrics.httpSeconds.observe(
        { method, route: typeof route === 'string' ? route : 'other', status: statusCode },
        durationMs / 1000,
      );
      const level = statusCode >= 500 ? 'warn' : statusCode >= 400 ? 'info' : 'debug';
      // Nothing is made for a line that is not written, as that of every batch.
      if (!logger.isLevelEnabled(level)) return;
      const req = { method, url: originalUrl.split('?')[0], remoteAddress: request.socket.remoteAddress };
      logger[level](
        { req, res: { statusCode }, responseTime: Math.round(durationMs) },
        response.writableFinished ? 'request completed' : 'request aborted',
      );
    });
    next();
  });
  const readJson = express.json({ limit: '1mb', inflate: false, type: 'application/json' });
  app.use('/api', (request: Request, response: Response, next: NextFunction) => {
    if (INGEST_PATH.test(request.path)) next();
    else readJson(request, response, next);
  });
  app.useGlobalFilters(new ProblemFilter(logger));
}

/** `/api/openapi.json` and the page `/api/docs`. */
export function configureOpenApi(app: NestExpressApplication, version: string): void {
  const config = new DocumentBuilder()
    .setTitle('Hearth')
    .setDescription('Continuous profiling: send profiles, ask about them, compare releases.')
    .setVersion(version)
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'an API key' })
    .addBasicAuth({ type: 'http', scheme: 'basic', description: 'an API key as the password' })
    .addCookieAuth('hearth_session')
    .build();
  SwaggerModule.setup('api/docs', app, () => SwaggerModule.createDocument(app, config), {
    jsonDocumentUrl: 'api/openapi.json',
    raw: ['json'],
  });
}
