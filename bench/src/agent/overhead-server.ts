/** The Fastify server whose CPU per request `agent-overhead` measures, under continuous load from a process of its own. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fastify from 'fastify';
import type { Measured } from './overhead-switches.js';
import { spin } from './spin.js';

const AWAITS = 12;

export interface LoadedServer {
  /** @returns CPU microseconds of the main thread per request while it waits so long. */
  cpuPerRequest(ms: number): Promise<number>;
  endLoad(): void;
}

/** @param workMs - CPU milliseconds of a request, beside what the server itself takes. */
export async function openServer(measured: Measured, workMs: number): Promise<LoadedServer> {
  const rounds = calibrate(workMs);
  const server = fastify();
  let requests = 0;
  server.get('/orders/:id', (request, reply) => {
    requests += 1;
    return measured.around(() => handle(request.params as { id: string }, reply.elapsedTime, rounds));
  });
  const address = await server.listen({ port: 0, host: '127.0.0.1' });
  const program = fileURLToPath(new URL('overhead-load.mjs', import.meta.url));
  const load = spawn(process.execPath, [program, `${address}/orders/`], { stdio: 'ignore' });
  await pause(2_000); // compiled, and the load is there
  return {
    async cpuPerRequest(ms) {
      const [cpuBefore, requestsBefore] = [mainThreadCpuMicros(), requests];
      await pause(ms);
      return (mainThreadCpuMicros() - cpuBefore) / (requests - requestsBefore);
    },
    endLoad: () => void load.kill(),
  };
}

async function handle(params: { id: string }, seed: number, rounds: number): Promise<object> {
  let x = seed;
  for (let at = 0; at < AWAITS; at += 1) {
    x += spin(rounds / AWAITS);
    await (at % 4 === 3 ? new Promise(setImmediate) : null);
  }
  return { id: params.id, x };
}

/** How many rounds of `spin` are so many milliseconds: the fastest of several tries, because others use this machine. */
function calibrate(ms: number): number {
  const tries = Array.from({ length: 30 }, () => {
    const before = performance.now();
    spin(200_000);
    return performance.now() - before;
  });
  return (200_000 / Math.min(...tries)) * ms;
}

/** Linux counts each thread's nanoseconds; elsewhere the whole process has to do. */
function mainThreadCpuMicros(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1000;
  } catch {
    const { user, system } = process.cpuUsage();
    return user + system;
  }
}
