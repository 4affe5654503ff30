import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectDataSource } from '../../../apps/server/dist/platform/database/index.js';
import { EmbeddedPostgres } from '../../../apps/server/dist/platform/embedded-postgres/index.js';

/** Of /proc, in ticks a second; the same on every Linux. */
const TICKS_PER_SECOND = 100;

/** An embedded Postgres of its own, with the settings a user gets. */
export async function startBenchPostgres() {
  const homeDir = mkdtempSync(path.join(tmpdir(), 'hearth-bench-'));
  chmodSync(homeDir, 0o755); // when root runs it, Postgres runs as nobody
  const postgres = await EmbeddedPostgres.start({
    homeDir,
    programsCopyDir: path.join(tmpdir(), `hearth-test-postgres-programs-${process.getuid?.() ?? 0}`),
  });
  return {
    pid: () => postgres.pid,
    /** Another empty database. @returns Its URL. */
    async createDatabase(name: string): Promise<string> {
      const dataSource = await connectDataSource({ url: postgres.url('postgres') });
      await dataSource.query(`CREATE DATABASE ${name}`);
      await dataSource.destroy();
      return postgres.url(name);
    },
    /** CPU time of all its processes since it started; NaN where there is no /proc. */
    cpuSeconds: () => cpuSecondsOf(postgres.pid),
    async stop(): Promise<void> {
      await postgres.stop();
      rmSync(homeDir, { recursive: true, force: true });
    },
  };
}

/** The postmaster, its children, and those of them that have ended. */
function cpuSecondsOf(postmasterPid: number): number {
  let ticks = 0;
  try {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const fields = statOf(pid);
      if (fields === undefined) continue;
      const [, parentPid] = fields;
      const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15).map(Number) as [number, number, number, number];
      if (Number(pid) === postmasterPid) ticks += user + system + childrenUser + childrenSystem;
      else if (Number(parentPid) === postmasterPid) ticks += user + system;
    }
  } catch {
    return Number.NaN;
  }
  return ticks / TICKS_PER_SECOND;
}

/** What follows the name of the program in /proc/PID/stat: state, parent, ... (proc(5)); `undefined` once it has ended. */
function statOf(pid: string): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return undefined;
  }
}
