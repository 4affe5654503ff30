import { describe, expect, it } from 'vitest';
import { EnvironmentError, parseEnvironment } from './environment.js';

describe('parseEnvironment', () => {
  it('needs nothing: one process with the embedded Postgres on port 4040', () => {
    expect(parseEnvironment({})).toMatchObject({ port: 4040, role: 'all', databaseUrl: undefined, redisUrl: undefined });
    expect(parseEnvironment({})).toMatchObject({ minFreeDiskBytes: 2 ** 30, maxDatabaseBytes: undefined });
    expect(parseEnvironment({ MAX_DATABASE_BYTES: '1048576' }).maxDatabaseBytes).toBe(2 ** 20);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(parseEnvironment({ PORT: '', REDIS_URL: '' })).toMatchObject({ port: 4040, redisUrl: undefined });
  });

  it.each([
    ['PORT', '0'],
    ['PORT', '65536'],
    ['PORT', 'http'],
    ['HEARTH_ROLE', 'both'],
    ['DATABASE_URL', 'mysql://x/y'],
    ['REDIS_URL', 'localhost:6379'],
    ['REDIS_URL', 'redis-cluster://a,'],
    ['DATABASE_READ_URL', 'replica:5432'],
    ['DATABASE_READ_MAX_LAG_MS', '999'],
    ['DATABASE_READ_MAX_LAG_MS', '3600001'],
    ['MAX_BATCH_BYTES', '1023'],
    ['MIN_FREE_DISK_BYTES', '-1'],
    ['MAX_DATABASE_BYTES', '1048575'],
    ['HEARTH_BOOTSTRAP_KEY', 'fifteen-letters'],
    ['HEARTH_ADMIN_PASSWORD', '7-chars'],
    ['LOG_LEVEL', 'loud'],
  ])('refuses %s=%s in one line that names the variable', (name, value) => {
    const fault = () => parseEnvironment({ [name]: value });
    expect(fault).toThrow(EnvironmentError);
    expect(fault).toThrow(new RegExp(`^${name} is not usable: [^\\n]+$`));
  });

  it.each([
    ['PORT', '1'],
    ['PORT', '65535'],
    ['REDIS_URL', 'redis-cluster://a:7001,b:7002'],
    ['DATABASE_READ_MAX_LAG_MS', '1000'],
    ['DATABASE_READ_MAX_LAG_MS', '3600000'],
    ['MAX_BATCH_BYTES', '1024'],
    ['HEARTH_BOOTSTRAP_KEY', 'sixteen-letters!'],
  ])('accepts %s=%s', (name, value) => {
    expect(() => parseEnvironment({ [name]: value })).not.toThrow();
  });

  it('keeps a secret to itself that it refuses', () => {
    expect(() => parseEnvironment({ HEARTH_BOOTSTRAP_KEY: 'fifteen-letters' })).not.toThrow('fifteen-letters');
  });

  it('refuses a worker without a database to share', () => {
    expect(() => parseEnvironment({ HEARTH_ROLE: 'worker' })).toThrow(/^DATABASE_URL is missing/);
    expect(() => parseEnvironment({ HEARTH_ROLE: 'worker', DATABASE_URL: 'postgres://h/d' })).not.toThrow();
  });

  it('refuses a replica of the embedded database: there is none', () => {
    const replica = { DATABASE_READ_URL: 'postgres://replica/d' };
    expect(() => parseEnvironment(replica)).toThrow(/^DATABASE_URL is missing/);
    expect(parseEnvironment({ ...replica, DATABASE_URL: 'postgres://h/d' })).toMatchObject({
      databaseReadUrl: 'postgres://replica/d',
      databaseReadMaxLagMs: 10_000,
    });
  });
});
