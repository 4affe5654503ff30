import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const mainFile = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../apps/server/dist/main.js');
const START_TIMEOUT_MS = 60_000;

export interface TestServerOptions {
  readonly role?: 'api' | 'worker' | 'all';
  /** Default: an embedded Postgres in a folder of its own (role `all` only). */
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  /** Folder of the embedded Postgres, kept after `stop`; for tests that start twice on one. */
  readonly dataDir?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** More variables. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** An admin key of the default project. */
  readonly key: string;
  readonly adminEmail: string;
  readonly adminPassword: string;
  readonly pid: number;
  /** SIGKILL, without a chance to clean up. */
  kill(): Promise<void>;
  /** SIGTERM; resolves when the process has ended. @returns Its exit code. */
  stop(): Promise<number | null>;
  /** What it wrote so far, both streams. */
  logs(): string;
}

/** A built server as its own process, ready to answer. Build first: `npx tsc -b apps/server`. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  if (!existsSync(mainFile)) throw new Error(`${mainFile} is missing: build the server first`);
  const port = options.port ?? (await freePort());
  const ownDir =
    options.databaseUrl === undefined && options.dataDir === undefined
      ? mkdtempSync(path.join(tmpdir(), 'hearth-test-server-'))
      : undefined;
  if (ownDir !== undefined) chmodSync(ownDir, 0o755); // when root runs the tests, Postgres runs as nobody
  const key = 'test-bootstrap-key-0123456789';
  const adminPassword = 'test-password';
  const dataDir = options.dataDir ?? ownDir;
  const server = spawn(process.execPath, [mainFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      HOST: '127.0.0.1',
      PORT: String(port),
      HEARTH_ROLE: options.role ?? 'all',
      HEARTH_BOOTSTRAP_KEY: key,
      HEARTH_ADMIN_PASSWORD: adminPassword,
      TICK_MS: '200',
      ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }),
      ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
      ...(dataDir === undefined ? {} : { HEARTH_DATA_DIR: dataDir }),
      ...options.env,
    },
  });
  let output = '';
  for (const stream of [server.stdout, server.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const ended = new Promise<number | null>((resolve) => {
    server.once('close', (code) => {
      resolve(code);
    });
  });
  const hasEnded = () => server.exitCode !== null || server.signalCode !== null;
  const url = `http://127.0.0.1:${port}`;
  for (const untilMs = Date.now() + START_TIMEOUT_MS; ;) {
    if (
      await fetch(`${url}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      break;
    if (hasEnded() || Date.now() > untilMs) {
      server.kill('SIGKILL');
      if (ownDir !== undefined) rmSync(ownDir, { recursive: true, force: true });
      throw new Error(`the server did not start:\n${output}`);
    }
    await sleep(50);
  }
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (!hasEnded()) server.kill(signal);
    const code = await ended;
    // After SIGKILL its Postgres runs on in this folder: whoever kills removes it.
    if (ownDir !== undefined && signal !== 'SIGKILL') rmSync(ownDir, { recursive: true, force: true });
    return code;
  };
  return {
    url,
    port,
    key,
    adminEmail: 'admin@localhost',
    adminPassword,
    pid: server.pid!,
    kill: async () => {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
    logs: () => output,
  };
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    probe.close(() => {
      resolve();
    });
  });
  return port;
}
