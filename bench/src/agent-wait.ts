/**
 * What the agent says of waiting against what the program timed itself: 40 transactions at once over a real Postgres, a real Redis and a peer that
 * answers after 5 or 30 ms, far more operations than stacks are captured; and what an operation costs with and without. docs/benchmarks.md
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { functionsRootFirst } from '@hearth/profile-model';
import { startTestRedis } from '../../test/support/redis.js';
import { Collector } from './agent/collector.js';
import { printFigures, round } from './agent/figures.js';
import { runProgram } from './agent/run-program.js';
import { startBenchPostgres } from './store/bench-postgres.js';

const SECONDS = 30;

/** Milliseconds by operation, then by the function that waited. */
type Sums = Record<string, Record<string, number>>;

interface HostFigures {
  readonly truth: Sums;
  readonly operations: number;
  readonly cpuMicrosPerOperation: number;
}

const peer = createServer((request, response) => {
  setTimeout(() => response.end('done'), Number(request.url!.slice(1)));
});
await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
const collector = await new Collector().open();
const [postgres, redis] = await Promise.all([startBenchPostgres(), startTestRedis()]);
try {
  const databaseUrl = await postgres.createDatabase('waits');
  const peerUrl = `http://127.0.0.1:${(peer.address() as AddressInfo).port}`;
  const run = (waits: 'on' | 'off', seconds: number) =>
    runProgram<HostFigures>('wait-host.ts', [collector.url, databaseUrl, redis.url, peerUrl, String(seconds), waits]);
  // Off on both sides of on, so that a machine that changes meanwhile is seen.
  const before = await run('off', SECONDS / 2);
  const { truth, operations, cpuMicrosPerOperation } = await run('on', SECONDS);
  const sums = recorded(collector);
  const after = await run('off', SECONDS / 2);
  const figures: Record<string, number | string> = {
    node: process.versions.node,
    operations_per_second: round(operations / SECONDS, 0),
  };
  for (const [operation, callers] of Object.entries(truth)) {
    figures[`wait_error_pct_${operation}`] = round(percentOff(sumOf(sums[operation] ?? {}), sumOf(callers)), 2);
    figures[`stack_split_error_pct_${operation}`] = round(splitError(sums[operation] ?? {}, callers), 2);
  }
  figures['operation_cpu_micros_off_before'] = round(before.cpuMicrosPerOperation, 1);
  figures['operation_cpu_micros_on'] = round(cpuMicrosPerOperation, 1);
  figures['operation_cpu_micros_off_after'] = round(after.cpuMicrosPerOperation, 1);
  printFigures(figures);
} finally {
  peer.closeAllConnections();
  peer.close();
  await collector.close();
  await redis.stop();
  await postgres.stop();
}

function recorded({ batches }: Collector): Sums {
  const sums: Sums = {};
  for (const batch of batches) {
    for (const profile of batch.profiles.filter(({ typeId }) => typeId.startsWith('wait:wait:'))) {
      profile.sampleStack.forEach((stack, row) => {
        if (batch.labelSets[profile.sampleLabelSet[row]!]!.length === 0) return; // before and after the transactions
        const functions = functionsRootFirst(batch.stacks, stack).map((functionRow) => batch.functions.name[functionRow]!);
        const operation = functions.pop()!.split(' ')[0]!;
        const caller = functions.findLast((name) => /^(?:query|get|ask)/.test(name)) ?? '(not seen)';
        const ofOperation = (sums[operation] ??= {});
        ofOperation[caller] = (ofOperation[caller] ?? 0) + profile.sampleValue[row]! / 1000;
      });
    }
  }
  return sums;
}

function sumOf(callers: Readonly<Record<string, number>>): number {
  return Object.values(callers).reduce((sum, ms) => sum + ms, 0);
}

function percentOff(value: number, truth: number): number {
  return (Math.abs(value - truth) / truth) * 100;
}

/** The part of an operation's time that stands under another function than it was spent in. */
function splitError(said: Readonly<Record<string, number>>, truth: Readonly<Record<string, number>>): number {
  const [saidSum, truthSum] = [sumOf(said), sumOf(truth)];
  const callers = new Set([...Object.keys(said), ...Object.keys(truth)]);
  let apart = 0;
  for (const caller of callers) apart += Math.abs((said[caller] ?? 0) / saidSum - (truth[caller] ?? 0) / truthSum);
  return (apart / 2) * 100;
}
