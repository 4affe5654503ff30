import { PATH_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.js';
import { parseEnvironment } from '../config/environment.js';
import { PERMISSION } from '../features/access/index.js';
import { createApp } from '../hearth-server.js';
import { MIGRATIONS } from '../migrations/index.js';
import { runMigrations } from '../platform/database/index.js';

let postgres: TestPostgres;
let apps: NestExpressApplication[];
beforeAll(async () => {
  postgres = await startTestPostgres();
  await runMigrations(postgres.url, MIGRATIONS);
  apps = [];
  for (const role of ['api', 'worker', 'all'] as const) {
    const environment = parseEnvironment({
      HEARTH_ROLE: role,
      DATABASE_URL: postgres.url,
      HEARTH_ADMIN_PASSWORD: 'a-password',
      TICK_MS: '60000',
    });
    const app = await createApp(environment, postgres.url, pino({ level: 'silent' }));
    apps.push(await app.init());
  }
});
afterAll(async () => {
  for (const app of apps ?? []) await app.close();
  await postgres?.stop();
});

/** Every route of an application, with what its decorators say about who may call it. */
function routesOf(app: NestExpressApplication): { route: string; permission: unknown }[] {
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  return controllers.flatMap(({ metatype }) => {
    const prototype = (metatype as { prototype: Record<string, unknown> }).prototype;
    return Object.getOwnPropertyNames(prototype)
      .filter((name) => name !== 'constructor') // it carries the controller's own path
      .map((name) => prototype[name])
      .filter((method): method is () => unknown => typeof method === 'function' && Reflect.hasMetadata(PATH_METADATA, method))
      .map((method) => ({
        route: `${(metatype as { name: string }).name}.${method.name}`,
        permission: Reflect.getMetadata(PERMISSION, method) ?? Reflect.getMetadata(PERMISSION, metatype as object),
      }));
  });
}

describe('roles', () => {
  it('start, each with its features and a handler for every job', () => {
    expect(apps).toHaveLength(3);
  });

  it('say of every route who may call it', () => {
    const routes = routesOf(apps[2]!);
    expect(routes.length).toBeGreaterThan(20);
    expect(routes.filter(({ permission }) => permission === undefined)).toEqual([]);
  });

  it('answer nothing but health as a worker', () => {
    expect([...new Set(routesOf(apps[1]!).map(({ route }) => route.split('.')[0]))]).toEqual(['HealthController']);
  });
});
