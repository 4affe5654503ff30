import { readPyroscopeEnvironment } from './options/environment.js';
import { PullAnswers } from './pyroscope/pull-middleware.js';
import type { ExpressMiddleware, FastifyPlugin } from './pyroscope/pull-types.js';
import {
  agentOptions,
  type LabelSet,
  type PyroscopeConfig,
  type PyroscopeHeapConfig,
  type PyroscopeWallConfig,
} from './pyroscope/pyroscope-config.js';
import { SourceMapper } from './pyroscope/source-mapper.js';
import { sharedAgent } from './shared-agent.js';

export { SourceMapper };
export type { LabelSet, PyroscopeConfig, PyroscopeHeapConfig, PyroscopeWallConfig };

/** What `setLogger` takes; `info` and `warn` are used. */
export interface Logger {
  error(...args: unknown[]): void;
  trace(...args: unknown[]): void;
  debug(...args: unknown[]): void;
  info(...args: unknown[]): void;
  warn(...args: unknown[]): void;
  fatal(...args: unknown[]): void;
}

const agent = sharedAgent();
let config: PyroscopeConfig = {};
/** The agent runs while one of them has been started and not been stopped. */
const started = { wall: false, heap: false };
const pullAnswers = new PullAnswers(agent, () => run({ wall: started.wall, heap: true }));

/** Keeps the configuration for `start`. Unlike the original it never throws: what cannot be used is said in one line at the start. */
export function init(newConfig: PyroscopeConfig = {}): void {
  config = typeof newConfig === 'object' && newConfig !== null ? newConfig : {};
}

/** Starts the agent: CPU, wall, heap, transactions. One that runs already, as by the preload, goes on with its own options. */
export function start(): void {
  run({ wall: true, heap: true });
}

/** Sends what there is, within 5 s, and stops the agent. Never rejects. */
export async function stop(): Promise<void> {
  started.wall = started.heap = false;
  await agent.stop();
}

/** CPU is part of it. */
export function startWallProfiling(): void {
  run({ wall: true, heap: started.heap });
}

export function startCpuProfiling(): void {
  startWallProfiling();
}

/** The agent samples stacks as long as it runs: also beside it, where only this is started. */
export function startHeapProfiling(): void {
  run({ wall: started.wall, heap: true });
}

/** Sends what there is; stops the agent unless the heap is profiled still. */
export async function stopWallProfiling(): Promise<void> {
  started.wall = false;
  await (started.heap ? agent.flush() : agent.stop());
}

export async function stopCpuProfiling(): Promise<void> {
  await stopWallProfiling();
}

/** Sends what there is, and samples the heap no more; stops the agent unless the wall is profiled still. */
export async function stopHeapProfiling(): Promise<void> {
  started.heap = false;
  if (!started.wall) return agent.stop();
  await agent.flush();
  agent.sampleHeap('off');
}

/**
 * Runs `fn` with these labels, and those that are set here already, on the samples of all that it does: also after its awaits, in its timers and
 * callbacks. Unlike the original, it gives what `fn` gives, passes its error on, and work that runs meanwhile does not get the labels.
 */
export function wrapWithLabels<Args extends unknown[], Result>(
  labels: LabelSet,
  fn: (...args: Args) => Result,
  ...args: Args
): Result {
  return agent.runWithLabels(labels, () => fn(...args));
}

/** The samples of what runs from here on, in this asynchronous work and what it starts, carry these labels and no others that were set before. */
export function setLabels(labels: LabelSet): void {
  agent.setLabels(labels);
}

/** The labels that are set here. Empty where the agent does not run. */
export function getLabels(): LabelSet {
  return agent.labels();
}

/** @deprecated `setLabels` */
export function setWallLabels(labels: LabelSet): void {
  setLabels(labels);
}

/** @deprecated `getLabels` */
export function getWallLabels(): LabelSet {
  return getLabels();
}

/** Where the agent's few lines go. */
export function setLogger(logger: Logger): void {
  agent.useLogger({ info: (message) => logger.info(message), warn: (message) => logger.warn(message) });
}

/**
 * For Express: `GET /debug/pprof/profile?seconds=N` answers the wall and CPU profile of the next seconds (1 if not said, 60 at most), `GET
 * /debug/pprof/heap` what the heap holds, as gzipped pprof. Starts the agent. One at a time: 503 meanwhile, and where the agent does not run.
 */
export function expressMiddleware(): ExpressMiddleware {
  return pullAnswers.expressMiddleware();
}

/** The same for Fastify, to be registered as a plugin. */
export function fastifyMiddleware(): FastifyPlugin {
  return pullAnswers.fastifyMiddleware();
}

function run(parts: { readonly wall: boolean; readonly heap: boolean }): void {
  Object.assign(started, parts);
  if (!agent.isRunning())
    agent.init({ ...agentOptions(config, readPyroscopeEnvironment()), heap: parts.heap ? 'in-use' : 'off' });
  else if (parts.heap) agent.sampleHeap('in-use');
}

export default {
  SourceMapper,
  expressMiddleware,
  fastifyMiddleware,
  init,
  getWallLabels,
  setWallLabels,
  getLabels,
  setLabels,
  wrapWithLabels,
  start,
  startHeapProfiling,
  startWallProfiling,
  startCpuProfiling,
  stop,
  stopHeapProfiling,
  stopWallProfiling,
  stopCpuProfiling,
  setLogger,
};
