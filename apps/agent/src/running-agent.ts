import type { DurationMs } from '@hearth/profile-model';
import type { Batch, BatchProcess } from '@hearth/wire-format';
import { FlushSchedule } from './batching/flush-schedule.js';
import { PeriodCollector, type InstrumentPart, type Instruments } from './batching/period-collector.js';
import { PeriodFlusher } from './batching/period-flusher.js';
import { CostKeeper } from './governor/cost-keeper.js';
import type { Levers } from './governor/levers.js';
import { SampledCost } from './governor/own-cost.js';
import { OPERATION_LABEL, OperationNames, followGraphqlOperations } from './integrations/graphql-operations.js';
import { LostContext } from './lost-context/lost-context.js';
import { WatchedHandlers } from './lost-context/watched-handlers.js';
import type { Measures } from './measures/measures.js';
import type { AgentSettings } from './options/options.js';
import { OnDemand } from './remote/on-demand.js';
import type { AgentLog } from './safety/agent-log.js';
import type { AtExit, ExitTarget } from './safety/exit-hooks.js';
import { describeError, type Guard } from './safety/guard.js';
import { isHeapSampled } from './samplers/heap-sampler.js';
import type { MemorySampler } from './samplers/memory-sampler.js';
import { NativeSampler } from './samplers/native-sampler.js';
import { Outbox } from './shipping/outbox.js';
import { SourceMapSender } from './source-maps/source-map-sender.js';
import type { ThreadLink } from './threads/thread-link.js';
import { ThreadPeriods } from './threads/thread-periods.js';
import { wireWithoutSampler } from './transactions/context-wiring.js';
import { followHttpServers, type FollowedHttpServers, type RouteOfRequest } from './transactions/http-transactions.js';
import { TransactionTracker } from './transactions/transaction-tracker.js';
import { AGENT_VERSION } from './version.js';
import { followWaits } from './waits/follow-waits.js';
import { WaitRecorder } from './waits/wait-recorder.js';

/** What is measured for so long after the last flush is that flush itself. */
const NOTHING_NEW_MS = 2_000;
/** How long a flush waits for worker threads, which may be busy. */
const THREADS_MS = 250;

/** The agent between its start and its stop: instruments, schedule, outbox. */
export class RunningAgent {
  readonly #instruments: Instruments;
  #process: BatchProcess;
  readonly #log: AgentLog;
  readonly #guard: Guard;
  readonly #flusher: PeriodFlusher;
  readonly #outbox: Outbox | ThreadLink;
  /** `undefined` where none may be sent. */
  readonly #sourceMaps: SourceMapSender | undefined;
  /** Of the main thread. */
  readonly #threads: ThreadPeriods | undefined;
  readonly #onDemand: OnDemand;
  readonly #schedule: FlushSchedule;
  readonly #exitHooks: AtExit;
  readonly #atExit: ExitTarget = {
    flush: (timeoutMs, which) => this.flush(timeoutMs, which),
    lastWords: () => this.#lastWords(),
  };
  /** `undefined` where requests are no transactions. */
  readonly #http: FollowedHttpServers | undefined;
  readonly #endGraphql: () => void;
  readonly #operations = new OperationNames();
  #endWaits: () => void = () => {};
  readonly #costs: CostKeeper;
  readonly #periodMs: DurationMs;
  /** Switched off for what it costs; may be switched on again. */
  #restingMemory: MemorySampler | undefined;
  /** When the last period was flushed, by the monotonic clock. */
  #endedLastAt = -Infinity;

  /** @param link - Of a worker thread: where what it measures goes, and who ends its periods. */
  constructor(
    settings: AgentSettings,
    process: BatchProcess,
    instruments: Instruments,
    exitHooks: AtExit,
    log: AgentLog,
    guard: Guard,
    link?: ThreadLink,
  ) {
    this.#instruments = instruments;
    this.#exitHooks = exitHooks;
    this.#log = log;
    this.#guard = guard;
    this.#periodMs = settings.periodMs;
    this.#costs = new CostKeeper({ cpuPct: settings.budgetCpuPct, pauseMs: settings.budgetPauseMs }, log, (levers) =>
      this.#useLess(levers),
    );
    this.#outbox =
      link ??
      new Outbox(settings, process.id, log, guard, (body) => {
        this.#sourceMaps?.batchStored();
        this.#onDemand.obey(body, process.id);
      });
    if (link === undefined) {
      this.#sourceMaps = this.#openSourceMaps(settings, process);
      const lost = (samples: number): void => this.#outbox.countLost({ batches: 0, samples });
      const { name } = instruments.tracker.wiring;
      const isKnown = name !== 'none' && instruments.stackSampler instanceof NativeSampler;
      const wiring = isKnown ? name : undefined;
      this.#threads = new ThreadPeriods(() => instruments.tracker, instruments.measures, settings, wiring, log, guard, lost);
    }
    this.#onDemand = new OnDemand(
      {
        sampler: () => instruments.stackSampler,
        endPeriod: (which) => this.#flusher.endPeriod(which),
        linesChanged: (lines) => this.#threads?.holdBack(lines === 'call-site'),
        callsCounted: (counted) => (instruments.calls = counted),
      },
      link === undefined ? 'main' : 'worker',
      settings,
      log,
      guard,
    );
    this.#schedule = new FlushSchedule(settings.periodMs, () => {
      this.#exitHooks.periodEnded();
      guard.run(() => this.#flusher.endPeriod('more-to-come', 'two'), undefined);
    });
    this.#startInstruments(settings);
    if (link === undefined) this.#watchHandlers();
    this.#flusher = new PeriodFlusher(
      {
        collector: new PeriodCollector(instruments, (part, fault) => this.#giveUp(part, fault)),
        threads: this.#threads,
        onDemand: this.#onDemand,
        outbox: this.#outbox,
        sourceMaps: this.#sourceMaps,
        handlers: () => instruments.tracker.handlers,
        costs: this.#costs,
        process: () => this.#process,
      },
      guard,
    );
    this.#process = instruments.stackSampler === undefined ? { ...process, rateHz: 0 } : process;
    try {
      this.#http = settings.http === 'transactions' ? followHttpServers(instruments.tracker, guard) : undefined;
      this.#endGraphql = followGraphqlOperations(guard, (type, name) => this.nameOperation(type, name));
      if (link === undefined) this.#schedule.start(Math.random());
      else
        link.open(
          () => this.#flusher.endPeriod('more-to-come'),
          () => void this.stop(0).catch(guard.report),
        );
      this.#threads?.start();
      this.#exitHooks.install(this.#atExit);
    } catch (fault) {
      this.#schedule.stop();
      this.#exitHooks.remove(this.#atExit);
      this.#threads?.retire();
      this.#threads?.close();
      this.#pause(); // nobody else knows what runs already
      throw fault;
    }
  }

  get tracker(): TransactionTracker {
    return this.#instruments.tracker;
  }

  get measures(): Measures {
    return this.#instruments.measures;
  }

  routeFrom(request: object, route: RouteOfRequest, handler: (() => unknown) | undefined): void {
    this.#http?.routeFrom(request, route, handler);
  }

  /** Of the transaction that runs here: a part of a request's name, a label of another. */
  nameOperation(type: unknown, name: unknown): void {
    const transaction = this.tracker.wiring.current()?.transaction;
    if (transaction === undefined) return;
    const operation = this.#operations.nameOf(type, name);
    if (transaction.kind === 'custom') this.tracker.tag([[OPERATION_LABEL, operation]]);
    else transaction.operation = [undefined, operation].includes(transaction.operation) ? operation : '(batch)';
  }

  /** Found out after the start, because the files of a repository are many. */
  markDirty(): void {
    this.#process = { ...this.#process, isDirty: true };
  }

  /**
   * Ends the period and sends all there is; holds the process until that is done, at most `timeoutMs`.
   *
   * @returns Whether the server has it all. Never rejects.
   */
  async flush(timeoutMs: DurationMs, which: 'more-to-come' | 'last'): Promise<boolean> {
    this.#endPeriod(which);
    const threads = this.#threads?.collect(THREADS_MS);
    if (threads !== undefined) {
      await threads;
      this.#flusher.endPeriod(which);
    }
    if (which === 'last') this.#endedLastAt = performance.now();
    return this.#outbox.flush(timeoutMs, which);
  }

  /** @param open - Gives a sampler if there can be one; left out: the heap is sampled no more. */
  sampleMemory(open: (() => MemorySampler | undefined) | undefined): void {
    const { memorySampler } = this.#instruments;
    this.#restingMemory = undefined;
    if (open === undefined) {
      this.#instruments.memorySampler = undefined;
      memorySampler?.stop();
    } else if (memorySampler === undefined) {
      this.#instruments.memorySampler = open();
      this.#startMemory();
    }
  }

  /** The host was sent the signal that it has chosen for this. */
  signalled(): void {
    this.#onDemand.raise?.ask('signal', 'SIGUSR2');
  }

  /** The batches of the periods that begin now or later and end within this time; the last ends with it. */
  collect(durationMs: DurationMs): Promise<readonly Batch[]> {
    return this.#flusher.collect(durationMs);
  }

  /** Sends what there is, then nothing more. */
  async stop(timeoutMs: DurationMs): Promise<void> {
    this.#onDemand.close();
    this.#flusher.close();
    this.#schedule.stop();
    this.#sourceMaps?.stop();
    this.#http?.end();
    this.#endGraphql();
    this.#threads?.retire();
    const flushed = this.flush(timeoutMs, 'last');
    this.#pause();
    this.#letGo();
    await flushed;
    this.#threads?.close();
    this.#exitHooks.remove(this.#atExit);
    this.#outbox.stop();
  }

  /** Each by itself: one that does not start, as beside a profiler of the host, is missing, and the others measure. */
  #startInstruments(settings: AgentSettings): void {
    const instruments = this.#instruments;
    this.#guard.run(() => instruments.metrics?.start(), undefined);
    this.#startMemory();
    try {
      instruments.stackSampler?.start();
    } catch (fault) {
      this.#giveUp('stacks', fault);
      instruments.tracker = new TransactionTracker(wireWithoutSampler(), settings.labelRules); // its wiring would label what another profiler samples
    }
    instruments.tracker.cost = new SampledCost(this.#costs.between, 'transactions');
    if (settings.triggers.slowTransactionMs !== Infinity)
      instruments.tracker.slow = {
        fromMicros: settings.triggers.slowTransactionMs * 1_000,
        seen: (micros) => this.#onDemand.raise?.ask('slow', `a transaction took ${(micros / 1_000).toFixed(0)} ms`),
      };
    if (settings.waits === 'off') return;
    const waits = new WaitRecorder(instruments.tracker, this.#guard, settings.periodMs, this.#costs.between);
    instruments.waits = waits;
    this.#endWaits = followWaits(waits, this.#guard);
  }

  /** Only the native sampler tells which script a function is of. */
  #watchHandlers(): void {
    if (!(this.#instruments.stackSampler instanceof NativeSampler)) return;
    const handlers = new WatchedHandlers();
    this.#instruments.tracker.handlers = handlers;
    this.#instruments.lostContext = new LostContext(handlers, this.#log);
  }

  /** A map is of a build: where nobody says which build runs, it would name functions of another one. */
  #openSourceMaps(settings: AgentSettings, { revision, revisionSource }: BatchProcess): SourceMapSender | undefined {
    const { url, key, sourceMaps } = settings;
    if (sourceMaps === 'off') return undefined;
    if (revision === '' || revisionSource === 'package') {
      this.#log.warn(
        'AGENT_SOURCE_MAP_NOT_SENT',
        'source maps are not sent: no revision tells this build from others. Set HEARTH_REVISION',
      );
      return undefined;
    }
    const target = { url: new URL('source-maps', url), key, userAgent: `hearth-agent/${AGENT_VERSION}` };
    const sources = sourceMaps === 'send-with-sources' ? 'sent' : 'left-out';
    return new SourceMapSender(target, sources, () => this.#process, this.#log, this.#guard);
  }

  #startMemory(): void {
    if (this.#instruments.memorySampler === undefined) return;
    try {
      if (isHeapSampled()) throw new Error('something else in this process samples it already');
      this.#instruments.memorySampler.start();
    } catch (fault) {
      this.#giveUp('heap', fault);
    }
  }

  #pause(): void {
    this.#onDemand.stop();
    this.#endWaits();
    this.#guard.run(() => this.#instruments.waits?.stop(), undefined);
    this.#guard.run(() => this.#instruments.stackSampler?.pause(), undefined);
    this.#guard.run(() => this.#instruments.memorySampler?.stop(), undefined);
    this.#guard.run(() => this.#instruments.metrics?.stop(), undefined);
  }

  /** They may be another start's from now on; a last batch may still carry what worker threads had. */
  #letGo(): void {
    this.#instruments.stackSampler = undefined;
    this.#instruments.memorySampler = undefined;
    this.#instruments.waits = undefined;
    this.#instruments.tracker.handlers = undefined;
  }

  /** While lines are recorded, what worker threads had is kept, because its stacks are of another kind: at the end it has a batch of its own. */
  #endPeriod(which: 'more-to-come' | 'last'): void {
    this.#flusher.endPeriod(which);
    if (which !== 'last' || this.#threads?.isKeeping !== true) return;
    this.#onDemand.endLines();
    this.#flusher.endPeriod('last');
  }

  /** Synchronous: the process ends. With a spool its last period is kept, for the next process to send. */
  #lastWords(): void {
    if (this.#outbox.keepsAtExit) {
      this.#flusher.pack();
      if (performance.now() - this.#endedLastAt > NOTHING_NEW_MS) this.#endPeriod('last');
      this.#guard.run(() => this.#outbox.saveAtExit(), undefined);
    }
    this.#pause();
  }

  /** Between two periods. */
  #useLess({ sampled, captures, waits, heap, labels }: Levers): void {
    const { stackSampler, memorySampler, tracker } = this.#instruments;
    tracker.labels = labels;
    this.#instruments.waits?.lower(captures, waits);
    stackSampler?.sampleFor(sampled === 1 ? undefined : sampled * this.#periodMs);
    if (heap === 'off' && memorySampler !== undefined) {
      this.#restingMemory = memorySampler;
      this.#instruments.memorySampler = undefined;
      memorySampler.stop();
    } else if (heap === 'on' && this.#restingMemory !== undefined) {
      this.#instruments.memorySampler = this.#restingMemory;
      this.#restingMemory = undefined;
      this.#startMemory();
    }
  }

  /** Stops a sampler that failed, which nobody would read any more, and goes on without it. */
  #giveUp(part: InstrumentPart, fault: unknown): void {
    const { stackSampler, memorySampler, tracker } = this.#instruments;
    if (part === 'stacks') {
      this.#instruments.stackSampler = undefined;
      tracker.handlers = undefined;
      this.#guard.run(() => stackSampler?.pause(), undefined);
      this.#log.warn(
        'AGENT_NO_SAMPLER',
        `no stacks are sampled, transactions and process metrics are still sent: ${describeError(fault)}`,
      );
    } else if (part === 'heap') {
      this.#instruments.memorySampler = undefined;
      this.#guard.run(() => memorySampler?.stop(), undefined);
      this.#log.warn('AGENT_NO_HEAP_SAMPLER', `the heap is not sampled: ${describeError(fault)}`);
    } else if (part === 'exemplars') {
      this.#log.warn('AGENT_NO_EXEMPLARS', `slow transactions are only counted from now on: ${describeError(fault)}`);
    } else {
      this.#endWaits();
      this.#guard.run(() => this.#instruments.waits?.stop(), undefined);
      this.#instruments.waits = undefined;
      this.#log.warn('AGENT_NO_WAITS', `what is waited for is not recorded any more: ${describeError(fault)}`);
    }
  }
}
