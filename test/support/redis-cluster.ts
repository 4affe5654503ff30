import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { redisProgram } from './redis.js';
import { freePort } from './server.js';
import { until } from './until.js';

const MASTERS = 3;
const SLOTS = 16_384;

/** A Redis Cluster of three masters on the loopback, in memory only. */
export interface TestRedisCluster {
  /** As in REDIS_URL. */
  readonly url: string;
  /** Which master holds a key: an index. */
  masterOf(key: string): Promise<number>;
  /** Keys that each master holds. */
  keyCounts(): Promise<number[]>;
  /** SIGKILL: what it held is gone. */
  kill(master: number): Promise<void>;
  /** On the same port, empty, with the slots it had. Resolves when the cluster is whole again. */
  startAgain(master: number): Promise<void>;
  stop(): Promise<void>;
}

/** Why there is no Redis Cluster for tests here; `undefined`: there can be one. REDIS_URL is no help: the test kills masters. */
export function whyNoRedisCluster(): string | undefined {
  return redisProgram() === undefined ? 'neither redis-server nor valkey-server on the PATH' : undefined;
}

export async function startRedisCluster(): Promise<TestRedisCluster> {
  const homeDir = mkdtempSync(path.join(tmpdir(), 'hearth-test-redis-cluster-'));
  const ports: { readonly port: number; readonly busPort: number }[] = [];
  for (let master = 0; master < MASTERS; master += 1) ports.push({ port: await freePort(), busPort: await freePort() });
  const running: ChildProcess[] = [];

  const start = async (master: number) => {
    const { port, busPort } = ports[master]!;
    const settings = {
      port,
      bind: '127.0.0.1',
      dir: homeDir,
      save: '',
      appendonly: 'no',
      'cluster-enabled': 'yes',
      'cluster-port': busPort, // its default, port + 10000, may be taken or beyond 65535
      'cluster-config-file': `nodes-${master}.conf`, // keeps the slots over a kill
      'cluster-node-timeout': 1_000,
    };
    const parameters = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    running[master] = spawn(redisProgram()!, parameters, { stdio: 'ignore' });
    await until(async () => ((await ask(port, (redis) => redis.ping())) === 'PONG' ? true : undefined));
  };
  const kill = async (master: number) => {
    const server = running[master]!;
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server.once('close', resolve));
    server.kill('SIGKILL');
    await ended;
  };
  const untilWhole = async () => {
    for (const { port } of ports) {
      await until(async () => {
        const state = await ask(port, (redis) => redis.call('CLUSTER', 'INFO'));
        return String(state).includes('cluster_state:ok') || undefined;
      });
    }
  };

  await Promise.all(ports.map((_, master) => start(master)));
  for (const [master, { port }] of ports.entries()) {
    const [first, last] = [master, master + 1].map((one) => Math.floor((SLOTS * one) / MASTERS)) as [number, number];
    await ask(port, async (redis) => {
      await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', master + 1);
      await redis.call('CLUSTER', 'ADDSLOTSRANGE', first, last - 1);
      if (master > 0) await redis.call('CLUSTER', 'MEET', '127.0.0.1', ports[0]!.port, ports[0]!.busPort);
    });
  }
  await untilWhole();
  return {
    // Two of three: the nodes name the third.
    url: `redis-cluster://${ports
      .slice(0, 2)
      .map(({ port }) => `127.0.0.1:${port}`)
      .join(',')}`,
    async masterOf(key) {
      const slot = Number(await ask(ports[0]!.port, (redis) => redis.call('CLUSTER', 'KEYSLOT', key)));
      return ports.findIndex((_, master) => slot < Math.floor((SLOTS * (master + 1)) / MASTERS));
    },
    keyCounts: () => Promise.all(ports.map(({ port }) => ask(port, (redis) => redis.dbsize()))),
    kill,
    async startAgain(master) {
      await start(master);
      await untilWhole();
    },
    async stop() {
      await Promise.all(running.map((_, master) => kill(master)));
      rmSync(homeDir, { recursive: true, force: true });
    },
  };
}

async function ask<Answer>(port: number, question: (redis: Redis) => Promise<Answer>): Promise<Answer> {
  const redis = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined); // the question reports it
  try {
    await redis.connect();
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}
