import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';

const root = path.resolve(import.meta.dirname, '../..');
const START_TIMEOUT_MS = 60_000;

/** One container of docker-compose.yml, as a plain process. */
export interface ComposeProcess {
  readonly service: string;
  readonly url: string;
  readonly child: ChildProcess;
  /** Its exit code, once it has one. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** What it has printed. */
  readonly output: () => string;
}

/**
 * Starts a service of docker-compose.yml with the image's command and the file's environment: only the names of the
 * containers are replaced by addresses on this machine, and the published port by a free one.
 */
export async function startComposeService(
  service: 'api' | 'worker',
  { databaseUrl, redisUrl, variables }: { databaseUrl: string; redisUrl: string; variables: Readonly<Record<string, string>> },
): Promise<ComposeProcess> {
  const port = await freePort();
  const environment = composeEnvironment(service, variables);
  environment['DATABASE_URL'] = databaseUrl;
  environment['REDIS_URL'] = redisUrl;
  environment['PORT'] = String(port);
  environment['HOST'] = '127.0.0.1';
  const child = spawn(process.execPath, ['apps/server/dist/main.js'], {
    cwd: root,
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code));
  });
  const url = `http://127.0.0.1:${port}`;
  const started: ComposeProcess = { service, url, child, ended, output: () => output };
  await untilHealthy(started);
  return started;
}

/** The service's environment with its `${VARIABLE:-default}` filled in, as compose would. */
export function composeEnvironment(service: string, variables: Readonly<Record<string, string>>): Record<string, string> {
  const compose = parse(readFileSync(path.join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
    services: Record<string, { environment: Record<string, string> }>;
  };
  const entries = Object.entries(compose.services[service]!.environment).map(([name, text]) => {
    const value = text.replace(
      /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
      (_, variable: string, kind: string | undefined, rest: string) => {
        const given = variables[variable];
        if (given) return given;
        if (kind === '?') throw new Error(`${variable}: ${rest}`);
        return kind === '-' ? rest : '';
      },
    );
    return [name, value] as const;
  });
  return Object.fromEntries(entries);
}

/** The same question that the container's health check asks. */
async function untilHealthy({ service, url, child, output }: ComposeProcess): Promise<void> {
  for (const untilMs = Date.now() + START_TIMEOUT_MS; ;) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    if (child.exitCode !== null || Date.now() > untilMs) {
      child.kill('SIGKILL');
      throw new Error(`${service} is not healthy: ${output().slice(-2_000)}`);
    }
    await sleep(100);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
