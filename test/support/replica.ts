import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import {
  findPostgresPackage,
  preparePrograms,
  userForPostgres,
} from '../../apps/server/src/platform/embedded-postgres/postgres-files.js';
import {
  spawnPostgres,
  stopPostgres,
  type PostgresProcess,
} from '../../apps/server/src/platform/embedded-postgres/postgres-process.js';
import { PROGRAMS_COPY_DIR, type TestPostgres } from './postgres.js';
import { freePort } from './server.js';
import { until } from './until.js';

/** A streaming replica of a test's Postgres, read-only. */
export interface TestReplica {
  /** Of the same database as the primary's URL. */
  readonly url: string;
  /** It goes on taking the log, and no longer shows what is in it. */
  pauseReplay(): Promise<void>;
  resumeReplay(): Promise<void>;
  /** Waits until it shows everything that the primary has committed. */
  caughtUp(): Promise<void>;
  /** Makes a primary of its own of it. */
  promote(): Promise<void>;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** On the same port and folder, after `kill`. */
  startAgain(): Promise<void>;
  /** Stops it and deletes its folder. */
  stop(): Promise<void>;
}

const SLOT = 'replica';

/**
 * Makes a replica from a copy of the running primary's folder, as `pg_basebackup` would: the embedded Postgres has no such
 * program. One for each primary.
 */
export async function startReplica(primary: TestPostgres, settings: Readonly<Record<string, string>> = {}): Promise<TestReplica> {
  const homeDir = mkdtempSync(path.join(tmpdir(), 'hearth-test-replica-'));
  chmodSync(homeDir, 0o755); // when root runs the tests, Postgres runs as nobody
  const dataDir = path.join(homeDir, 'data');
  const runAs = userForPostgres();
  await copyRunning(primary, dataDir);
  writeFileSync(path.join(dataDir, 'standby.signal'), '');
  if (runAs.uid !== undefined && runAs.gid !== undefined) {
    for (const name of ['standby.signal', 'backup_label']) chownSync(path.join(dataDir, name), runAs.uid, runAs.gid);
  }
  const { username, password, port: primaryPort } = new URL(primary.url);
  const port = await freePort();
  const programsDir = preparePrograms(findPostgresPackage(), PROGRAMS_COPY_DIR, runAs);
  const start = () =>
    spawnPostgres(
      programsDir,
      dataDir,
      port,
      {
        primary_conninfo: `host=127.0.0.1 port=${primaryPort} user=${username} password=${password}`,
        primary_slot_name: SLOT,
        wal_retrieve_retry_interval: '200ms',
        max_connections: '200', // as many as the primary, or it does not start
        fsync: 'off',
        ...settings,
      },
      runAs,
    );
  let running: PostgresProcess = await start();
  const url = Object.assign(new URL(primary.url), { port: String(port) }).href;
  return {
    url,
    async pauseReplay() {
      await ask(url, 'SELECT pg_wal_replay_pause()');
    },
    async resumeReplay() {
      await ask(url, 'SELECT pg_wal_replay_resume()');
    },
    async caughtUp() {
      const mark = `SELECT pg_logical_emit_message(false, 'caught up', '', true)::text AS position`; // true: with all that is before it
      const [written] = await ask<{ position: string }>(primary.url, mark);
      await until(async () => {
        const [replica] = await ask<{ isThere: boolean }>(
          url,
          `SELECT pg_last_wal_replay_lsn() >= '${written!.position}' AS "isThere"`,
        );
        return replica!.isThere || undefined;
      });
    },
    async promote() {
      await ask(url, 'SELECT pg_promote()');
    },
    async kill() {
      process.kill(running.pid, 'SIGQUIT');
      await running.ended;
    },
    async startAgain() {
      running = await start();
    },
    async stop() {
      await stopPostgres(running.pid);
      rmSync(homeDir, { recursive: true, force: true });
    },
  };
}

async function copyRunning(primary: TestPostgres, dataDir: string): Promise<void> {
  const client = await connect(primary.url);
  try {
    // The slot keeps the log from here on until the replica has taken it.
    await client.query('SELECT pg_create_physical_replication_slot($1, true)', [SLOT]);
    await client.query('SELECT pg_backup_start($1, true)', [SLOT]);
    const copied = spawnSync('cp', ['-a', path.join(primary.homeDir, 'data'), dataDir], { encoding: 'utf8' });
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    if (copied.status !== 0) throw new Error(`the primary's folder could not be copied: ${copied.stderr}`);
    writeFileSync(path.join(dataDir, 'backup_label'), rows[0]!.labelfile);
  } finally {
    await client.end();
  }
  // What belongs to the running primary only, and the log, which comes by streaming.
  for (const name of ['postmaster.pid', 'postmaster.opts']) rmSync(path.join(dataDir, name), { force: true });
  for (const folder of ['pg_wal', 'pg_replslot']) {
    for (const entry of readdirSync(path.join(dataDir, folder), { withFileTypes: true })) {
      if (entry.isFile() || folder === 'pg_replslot') rmSync(path.join(dataDir, folder, entry.name), { recursive: true });
    }
  }
}

async function ask<Row extends object>(url: string, query: string): Promise<Row[]> {
  const client = await connect(url);
  try {
    return (await client.query<Row>(query)).rows;
  } finally {
    await client.end();
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
