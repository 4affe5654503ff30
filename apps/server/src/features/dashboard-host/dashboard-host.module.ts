import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Module, type DynamicModule } from '@nestjs/common';
import { ServeStaticModule } from '@nestjs/serve-static';

/** Paths that belong to programs: a wrong one is a 404 of theirs, never the dashboard's page. */
const NOT_PAGES = [
  '/assets/{*any}',
  '/api/{*any}',
  '/install/*any',
  '/ingest',
  '/pyroscope/{*any}',
  '/healthz',
  '/readyz',
  '/metrics',
];
const YEAR_MS = 365 * 86_400_000;

/** The dashboard's build lies beside the server's, in the checkout and in the image. */
const dashboardDir = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../../dashboard/dist');

/** Serves the built dashboard; every other path is its page, so that a link into it can be opened. */
@Module({})
export class DashboardHostModule {
  static where(): DynamicModule {
    if (!existsSync(path.join(dashboardDir, 'index.html'))) return { module: DashboardHostModule };
    return {
      module: DashboardHostModule,
      imports: [
        ServeStaticModule.forRoot({
          rootPath: dashboardDir,
          exclude: NOT_PAGES,
          serveStaticOptions: {
            setHeaders(response, file) {
              // Names under assets/ carry a hash of their content; the page itself must be asked for again.
              const isHashed = file.includes(`${path.sep}assets${path.sep}`);
              response.setHeader('Cache-Control', isHashed ? `public, max-age=${YEAR_MS / 1000}, immutable` : 'no-cache');
            },
          },
        }),
      ],
    };
  }
}
