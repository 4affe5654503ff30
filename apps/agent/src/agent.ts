import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { getEnvironmentData, isMainThread } from 'node:worker_threads';
import type { DurationMs } from '@hearth/profile-model';
import type { Batch, BatchProcess } from '@hearth/wire-format';
import type { Instruments } from './batching/period-collector.js';
import { isWorkTreeDirty } from './identity/git-dirty.js';
import { findIdentity, mainScriptDir } from './identity/service-identity.js';
import { Measures } from './measures/measures.js';
import { readEnvironment } from './options/environment.js';
import { isOptionFault, resolveSettings, type AgentOptions, type AgentSettings } from './options/options.js';
import { RunningAgent } from './running-agent.js';
import { AgentLog, type AgentLogger } from './safety/agent-log.js';
import { ExitHooks, type AtExit } from './safety/exit-hooks.js';
import { createGuard, describeError, type Guard } from './safety/guard.js';
import { lookLike } from './safety/look-like.js';
import { otherRuntime } from './safety/other-runtime.js';
import { AllocationSampler } from './samplers/allocation-sampler.js';
import { HeapSampler } from './samplers/heap-sampler.js';
import type { MemorySampler } from './samplers/memory-sampler.js';
import { openStackSampler } from './samplers/open-stack-sampler.js';
import { ProcessMetrics } from './samplers/process-metrics.js';
import type { StackSampler } from './samplers/stack-sampler.js';
import { ThreadExit } from './threads/thread-exit.js';
import { ThreadLink } from './threads/thread-link.js';
import { THREAD_PLACE, type ThreadPlace } from './threads/thread-messages.js';
import { SignalTrigger } from './triggers/signal-trigger.js';
import { wireWithoutSampler } from './transactions/context-wiring.js';
import type { RouteOfRequest } from './transactions/http-transactions.js';
import type { LabelValue, Labels } from './transactions/label-limits.js';
import { runInScope } from './transactions/run-in-scope.js';
import { labelledScope, runSpan, runTransaction, runWithLabels } from './transactions/run-transaction.js';
import { TransactionTracker } from './transactions/transaction-tracker.js';
import { AGENT_VERSION } from './version.js';

/** How long `flush` and `stop` wait for the server. */
const FLUSH_MS = 5_000;

/** Of a thread that sends nothing itself. */
const NO_PROCESS: Omit<BatchProcess, 'service' | 'environment' | 'labels'> = {
  id: '',
  startedAtMs: 0,
  host: '',
  pid: 0,
  nodeVersion: '',
  agentVersion: AGENT_VERSION,
  rateHz: 0,
  revision: '',
  revisionSource: '',
  isDirty: false,
  version: '',
  rootDir: '',
};

/** A worker thread does as the main thread does; there is one heap profile, the main thread's. */
function threadOptions({ options, labelRules }: ThreadPlace): AgentOptions {
  return { key: 'none', ...options, ...labelRules, heap: 'off', remote: 'off' };
}

/** What the two builds of this package (ESM and CJS) share in one process. Its first copy makes it; the others use it. */
export interface SharedAgent {
  init(options: AgentOptions): void;
  /**
   * What came later than `fn` stands behind it, here and below, so that an older copy of this package can be called by a newer one.
   *
   * @param handler - The host's function that `fn` calls, where `fn` is ours.
   */
  transaction<Result>(name: string, labels: Labels | undefined, fn: () => Result, handler?: unknown): Result;
  span<Result>(name: string, fn: () => Result, inputs?: Labels): Result;
  /** Runs `fn` and counts it, with how long it took. */
  measure<Result>(name: string, fn: () => Result): Result;
  tag(labels: Labels, context?: Labels): void;
  bind<Fn extends (...args: never[]) => unknown>(fn: Fn): Fn;
  /** @param timeoutMs - Default 5,000. */
  flush(timeoutMs?: DurationMs): Promise<boolean>;
  stop(): Promise<void>;
  isRunning(): boolean;
  /** Says the route of a request, or how to find it once it is known, where the framework leaves none on it; and then what function handles it. */
  routeFrom(request: object, route: RouteOfRequest, handler?: () => unknown): void;
  /** Says which GraphQL operation runs here. */
  nameOperation(type: unknown, name: unknown): void;
  useLogger(logger: AgentLogger): void;
  /** Runs `fn` with labels on its samples, beside those that are current; no count carries them. */
  runWithLabels<Result>(labels: Labels, fn: () => Result): Result;
  /** The same from here on, in the place of those that are current. */
  setLabels(labels: Labels): void;
  /** Those that are current, as they were given. */
  labels<Value extends LabelValue>(): Record<string, Value>;
  sampleHeap(mode: 'in-use' | 'off'): void;
  /** Batches of what is measured from now on, for this long; they are sent too. None where the agent does not run. Never rejects. */
  collect(durationMs: DurationMs): Promise<readonly Batch[]>;
}

/** The one agent of a process: starts, stops, and passes the host's calls on to what runs. */
export class Agent implements SharedAgent {
  readonly #log = new AgentLog();
  readonly #guard: Guard = createGuard(this.#log);
  readonly #exitHooks: AtExit = isMainThread ? new ExitHooks(this.#guard) : new ThreadExit(this.#guard);
  readonly #signalTrigger = new SignalTrigger();
  #running: RunningAgent | undefined;
  #stopping: Promise<void> | undefined;
  /** Opened once and kept for the life of the thread: disposing of its native profiler can end the host. */
  #stackSampler: { readonly sampler: StackSampler | undefined } | undefined;

  init(options: AgentOptions): void {
    this.#guard.run(() => this.#init(options ?? {}), undefined);
  }

  transaction<Result>(name: string, labels: Labels | undefined, fn: () => Result, handler: unknown = fn): Result {
    return this.#running === undefined ? fn() : runTransaction(this.#running.tracker, this.#guard, name, labels, fn, handler);
  }

  span<Result>(name: string, fn: () => Result, inputs?: Labels): Result {
    return this.#running === undefined ? fn() : runSpan(this.#running.tracker, this.#guard, name, fn, inputs);
  }

  measure<Result>(name: string, fn: () => Result): Result {
    return this.#running === undefined ? fn() : this.#running.measures.run(name, fn);
  }

  tag(labels: Labels, context?: Labels): void {
    const tracker = this.#running?.tracker;
    if (tracker === undefined) return;
    this.#guard.run(() => {
      const { report } = this.#guard;
      if (!tracker.tag(tracker.clean(labels, report), context === undefined ? [] : tracker.clean(context, report)))
        this.#log.warn('AGENT_NO_TRANSACTION', 'tag() was called outside of a transaction: its labels are lost');
    }, undefined);
  }

  bind<Fn extends (...args: never[]) => unknown>(fn: Fn): Fn {
    const tracker = this.#running?.tracker;
    if (tracker === undefined || typeof fn !== 'function') return fn;
    const guard = this.#guard;
    const scope = guard.run(() => tracker.wiring.current(), undefined);
    const isRunning = (): boolean => this.#running?.tracker === tracker;
    const bound = function (this: unknown, ...args: never[]): unknown {
      if (!isRunning()) return fn.apply(this, args); // it outlives the agent's stop, and what is stopped follows nothing
      return runInScope(tracker, guard, scope, () => fn.apply(this, args));
    };
    return lookLike(bound, fn);
  }

  async flush(timeoutMs: DurationMs = FLUSH_MS): Promise<boolean> {
    return this.#running === undefined ? true : this.#running.flush(timeoutMs, 'more-to-come');
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined) {
      this.#guard.run(() => this.#signalTrigger.remove(), undefined);
      this.#stopping = running.stop(FLUSH_MS).catch((fault: unknown) => this.#guard.report(fault));
    }
    await this.#stopping;
  }

  routeFrom(request: object, route: RouteOfRequest, handler?: () => unknown): void {
    this.#guard.run(() => this.#running?.routeFrom(request, route, handler), undefined);
  }

  nameOperation(type: unknown, name: unknown): void {
    this.#guard.run(() => this.#running?.nameOperation(type, name), undefined);
  }

  isRunning(): boolean {
    return this.#running !== undefined;
  }

  useLogger(logger: AgentLogger): void {
    this.#log.useLogger(logger);
  }

  runWithLabels<Result>(labels: Labels, fn: () => Result): Result {
    return this.#running === undefined ? fn() : runWithLabels(this.#running.tracker, this.#guard, labels, fn);
  }

  setLabels(labels: Labels): void {
    const tracker = this.#running?.tracker;
    if (tracker !== undefined)
      this.#guard.run(() => tracker.wiring.enter(labelledScope(tracker, this.#guard, labels)), undefined);
  }

  labels<Value extends LabelValue>(): Record<string, Value> {
    const tracker = this.#running?.tracker;
    const given = tracker && this.#guard.run(() => tracker.wiring.current()?.scopeLabels?.given, undefined);
    return { ...(given as Record<string, Value> | undefined) };
  }

  sampleHeap(mode: 'in-use' | 'off'): void {
    this.#guard.run(
      () => this.#running?.sampleMemory(mode === 'off' ? undefined : () => this.#openMemorySampler(mode)),
      undefined,
    );
  }

  async collect(durationMs: DurationMs): Promise<readonly Batch[]> {
    return (await this.#running?.collect(durationMs)) ?? [];
  }

  #init(options: AgentOptions): void {
    const environment = readEnvironment();
    if (!environment.isEnabled) return;
    if (this.#running !== undefined) {
      this.#log.warn('AGENT_ALREADY_STARTED', 'init() was called again; the first start stays as it is');
      return;
    }
    if (options.logger !== undefined) this.#log.useLogger(options.logger);
    const runtime = otherRuntime(process.versions);
    if (runtime !== undefined) {
      this.#log.warn('AGENT_OTHER_RUNTIME', `this is ${runtime}, and the agent knows Node only: nothing is profiled`);
      return;
    }
    const place = isMainThread ? undefined : (getEnvironmentData(THREAD_PLACE) as ThreadPlace | undefined);
    if (!isMainThread && place === undefined) {
      this.#log.info(
        'AGENT_WORKER_THREAD',
        'this worker thread is not profiled: no agent ran in the main thread when it was made',
      );
      return;
    }
    const settings = resolveSettings(place === undefined ? options : threadOptions(place), environment);
    if (isOptionFault(settings)) {
      this.#log.warn(settings.code, settings.message);
      return;
    }
    if (place === undefined) this.#start(settings);
    else this.#startThread(settings, place);
  }

  #start(settings: AgentSettings): void {
    const identity = findIdentity(
      settings,
      mainScriptDir(process.argv, () => process.cwd()),
    );
    const instruments = this.#openInstruments(settings);
    const batchProcess: BatchProcess = {
      id: randomBytes(16).toString('hex'),
      service: identity.service,
      environment: settings.environment,
      startedAtMs: Math.round(performance.timeOrigin),
      host: hostname(),
      pid: process.pid,
      nodeVersion: process.versions.node,
      agentVersion: AGENT_VERSION,
      rateHz: instruments.stackSampler?.rateHz ?? 0,
      revision: identity.revision,
      revisionSource: identity.revisionSource,
      isDirty: identity.revision.endsWith('-dirty'),
      version: identity.version,
      rootDir: identity.rootDir,
      labels: settings.labels,
    };
    const running = new RunningAgent(settings, batchProcess, instruments, this.#exitHooks, this.#log, this.#guard);
    this.#running = running;
    if (settings.triggers.signal !== 'off')
      this.#guard.run(() => this.#signalTrigger.install(() => this.#guard.run(() => running.signalled(), undefined)), undefined);
    if (identity.git !== undefined) {
      void isWorkTreeDirty(identity.git).then(
        (isDirty) => {
          if (isDirty) running.markDirty();
        },
        () => undefined, // cannot be told: an index that is missing or cannot be read
      );
    }
    const revision = identity.revision === '' ? 'of no known revision' : `at ${identity.revision} (${identity.revisionSource})`;
    this.#log.info('AGENT_STARTED', `profiling ${identity.service} ${revision}, sending to ${settings.url.origin}`);
  }

  /** What it measures is sent by the main thread, which knows who this is. */
  #startThread(settings: AgentSettings, place: ThreadPlace): void {
    const link = new ThreadLink(place, this.#guard);
    this.#log.sendTo((level, code, message) => link.say(level, code, message));
    const instruments = this.#openInstruments(settings, place.wiring);
    const { service, environment, labels } = settings;
    this.#running = new RunningAgent(
      settings,
      { ...NO_PROCESS, service, environment, labels },
      instruments,
      this.#exitHooks,
      this.#log,
      this.#guard,
      link,
    );
  }

  #openInstruments(settings: AgentSettings, known?: 'frames' | 'reference'): Instruments {
    this.#stackSampler ??= { sampler: openStackSampler(settings.rateHz, this.#log, known) };
    const stackSampler = this.#stackSampler.sampler;
    const wiring = stackSampler?.wiring ?? wireWithoutSampler();
    return {
      tracker: new TransactionTracker(wiring, settings.labelRules),
      measures: new Measures(this.#guard),
      metrics: isMainThread ? new ProcessMetrics() : undefined,
      lostContext: undefined,
      stackSampler,
      memorySampler: settings.heap === 'off' ? undefined : this.#openMemorySampler(settings.heap),
      waits: undefined,
      calls: undefined,
    };
  }

  #openMemorySampler(measures: MemorySampler['measures']): MemorySampler | undefined {
    try {
      return measures === 'in-use' ? new HeapSampler() : new AllocationSampler();
    } catch (error) {
      if (measures === 'in-use' && this.#stackSampler?.sampler === undefined) return undefined; // the same add-on, and the same reason
      this.#log.warn('AGENT_NO_HEAP_SAMPLER', `the heap is not sampled: ${describeError(error)}`);
      return undefined;
    }
  }
}
