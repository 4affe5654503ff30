/**
 * What the agent costs a service that is idle most of the time: CPU of the whole process per request, where fifty come in a second. Each
 * kind runs beside a process with nothing at the same time, each on a core of its own; then they change cores. Runs on Linux, on two cores.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Collector } from './agent/collector.js';
import { mean, printFigures, progress, round } from './agent/figures.js';
import { runProgram } from './agent/run-program.js';

/** Each with what is measured (overhead-switches.ts). */
const KINDS = {
  aa: 'nothing',
  als: 'async-local-storage',
  sampler: 'hearth',
  waits: 'hearth-waits',
  everything: 'hearth-tagged',
  pyroscope: 'pyroscope',
} as const;
/** Of each kind. Even, so that each core has as many of them. */
const PAIRS = 4;
/** How long the service that it calls takes to answer. */
const ANSWER_AFTER_MS = 10;

const peer = createServer((_request, response) => void pause(ANSWER_AFTER_MS).then(() => response.end('{}')));
await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
const peerUrl = `http://127.0.0.1:${(peer.address() as AddressInfo).port}/`;
const collector = await new Collector().open();

const added = new Map<string, number[]>(Object.keys(KINDS).map((name) => [name, []]));
const nothing: number[] = [];
for (let at = 1; at <= PAIRS; at += 1) {
  for (const [name, what] of Object.entries(KINDS)) {
    progress(`${name}, pair ${at} of ${PAIRS}`);
    const core = at % 2;
    const [on, off] = await Promise.all([measure(what, core), measure('nothing', 1 - core)]);
    added.get(name)!.push(on - off);
    nothing.push(off);
  }
}
await collector.close();
peer.close();
printFigures({
  node: process.versions.node,
  request_cpu_micros: round(mean(nothing), 0),
  ...Object.fromEntries(
    [...added].flatMap(([name, micros]) => [
      [`${name}_added_micros`, round(mean(micros), 0)],
      [`${name}_added_error_micros`, round(errorOfMean(micros), 0)],
    ]),
  ),
});

/** @returns CPU microseconds of the process per request. */
async function measure(what: string, core: number): Promise<number> {
  const { micros } = await runProgram<{ micros: number }>('paced-host.ts', [what, collector.url, peerUrl], core);
  return micros;
}

/** Its standard error. */
function errorOfMean(values: readonly number[]): number {
  const middle = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
  return Math.sqrt(variance / values.length);
}
