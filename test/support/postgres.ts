import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectDataSource } from '../../apps/server/src/platform/database/index.js';
import { EmbeddedPostgres } from '../../apps/server/src/platform/embedded-postgres/index.js';

export interface TestPostgres {
  /** URL of an empty database. */
  readonly url: string;
  readonly port: number;
  /** Holds the folder `data`. */
  readonly homeDir: string;
  /** Process id of the postmaster, for tests that kill it. */
  readonly pid: () => number;
  /** Makes another empty database and gives its URL. */
  createDatabase(): Promise<string>;
  /** Stops the server and deletes its folder. */
  stop(): Promise<void>;
}

/** Shared by all tests of one user. */
export const PROGRAMS_COPY_DIR = path.join(tmpdir(), `hearth-test-postgres-programs-${process.getuid?.() ?? 0}`);

/** Folder of this run's template: initdb takes longer than all the rest of a start, and makes the same each time. */
const TEMPLATE_DIR = 'HEARTH_TEST_POSTGRES_TEMPLATE_DIR';

/** Before the tests of a run. The first that needs a Postgres fills it. */
export function setup(): () => void {
  const templateDir = mkdtempSync(path.join(tmpdir(), 'hearth-test-template-'));
  chmodSync(templateDir, 0o755);
  process.env[TEMPLATE_DIR] = templateDir;
  return () => rmSync(templateDir, { recursive: true, force: true });
}

/** A real Postgres for one test file, on a free port, in a folder of its own. Less than a second. */
export async function startTestPostgres(
  options: { readonly durable?: boolean; readonly settings?: Readonly<Record<string, string>> } = {},
): Promise<TestPostgres> {
  const homeDir = mkdtempSync(path.join(tmpdir(), 'hearth-test-postgres-'));
  chmodSync(homeDir, 0o755); // when root runs the tests, Postgres runs as nobody
  const templateDir = process.env[TEMPLATE_DIR];
  if (templateDir !== undefined) await copyTemplate(templateDir, homeDir);
  const postgres = await EmbeddedPostgres.start({
    homeDir,
    programsCopyDir: PROGRAMS_COPY_DIR,
    settings: {
      max_connections: '200',
      ...(!options.durable && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
      ...options.settings,
    },
  });
  let databases = 0;
  return {
    url: postgres.url(),
    port: postgres.port,
    homeDir,
    pid: () => postgres.pid,
    async createDatabase() {
      databases += 1;
      const name = `test_${databases}`;
      const dataSource = await connectDataSource({ url: postgres.url('postgres') });
      await dataSource.query(`CREATE DATABASE ${name}`);
      await dataSource.destroy();
      return postgres.url(name);
    },
    async stop() {
      await postgres.stop();
      rmSync(homeDir, { recursive: true, force: true });
    },
  };
}

async function copyTemplate(templateDir: string, homeDir: string): Promise<void> {
  const template = path.join(templateDir, 'home');
  if (!existsSync(template)) {
    // Made beside and renamed, so that nobody copies half of it.
    const half = mkdtempSync(path.join(templateDir, 'half-'));
    chmodSync(half, 0o755);
    const postgres = await EmbeddedPostgres.start({ homeDir: half, programsCopyDir: PROGRAMS_COPY_DIR });
    await postgres.stop();
    try {
      renameSync(half, template);
    } catch (error) {
      if (!existsSync(template)) throw error;
      rmSync(half, { recursive: true }); // another file was faster
    }
  }
  const copied = spawnSync('cp', ['-a', `${template}/.`, homeDir], { encoding: 'utf8' });
  if (copied.status !== 0) throw new Error(`the template of a Postgres could not be copied: ${copied.stderr}`);
}
