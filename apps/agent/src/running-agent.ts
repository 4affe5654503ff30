import type { DurationMs } from '@hearth/profile-model';
import { encodeBatch, type Batch, type BatchProcess } from '@hearth/wire-format';
import { FlushSchedule } from './batching/flush-schedule.js';
import { PeriodCollector, countSamples, type InstrumentPart, type Instruments } from './batching/period-collector.js';
import { OPERATION_LABEL, OperationNames, followGraphqlOperations } from './integrations/graphql-operations.js';
import type { AgentSettings } from './options/options.js';
import { LineRecording } from './remote/line-recording.js';
import { readCommands } from './remote/read-commands.js';
import type { AgentLog } from './safety/agent-log.js';
import type { ExitHooks, ExitTarget } from './safety/exit-hooks.js';
import { describeError, type Guard } from './safety/guard.js';
import { isHeapSampled } from './samplers/heap-sampler.js';
import type { MemorySampler } from './samplers/memory-sampler.js';
import { Outbox } from './shipping/outbox.js';
import { wireWithoutSampler } from './transactions/context-wiring.js';
import { followHttpServers, type FollowedHttpServers, type RouteOfRequest } from './transactions/http-transactions.js';
import { TransactionTracker } from './transactions/transaction-tracker.js';
import { followWaits } from './waits/follow-waits.js';
import { WaitRecorder } from './waits/wait-recorder.js';

const COMMANDS_REMEMBERED = 64;
/** What is measured for so long after the last flush is that flush itself. */
const NOTHING_NEW_MS = 2_000;

/** The agent between its start and its stop: instruments, schedule, outbox. */
export class RunningAgent {
  readonly #instruments: Instruments;
  #process: BatchProcess;
  readonly #log: AgentLog;
  readonly #guard: Guard;
  readonly #collector: PeriodCollector;
  readonly #outbox: Outbox;
  readonly #lineRecording: LineRecording;
  readonly #isRemote: boolean;
  /** Commands that were begun, the latest last: the server offers one until it expires. */
  readonly #begunCommands: string[] = [];
  readonly #schedule: FlushSchedule;
  readonly #exitHooks: ExitHooks;
  readonly #atExit: ExitTarget = {
    flush: (timeoutMs, which) => this.flush(timeoutMs, which),
    lastWords: () => this.#lastWords(),
  };
  /** `undefined` where requests are no transactions. */
  readonly #http: FollowedHttpServers | undefined;
  readonly #endGraphql: () => void;
  readonly #operations = new OperationNames();
  /** Called with each batch, beside its being sent. */
  readonly #collectors = new Set<(batch: Batch) => void>();
  #endWaits: () => void = () => {};
  /** When the last period was flushed, by the monotonic clock. */
  #endedLastAt = -Infinity;
  #isStopping = false;

  constructor(
    settings: AgentSettings,
    process: BatchProcess,
    instruments: Instruments,
    exitHooks: ExitHooks,
    log: AgentLog,
    guard: Guard,
  ) {
    this.#instruments = instruments;
    this.#exitHooks = exitHooks;
    this.#log = log;
    this.#guard = guard;
    this.#outbox = new Outbox(settings, process.id, log, guard, (body) => this.#obey(body));
    this.#lineRecording = new LineRecording(
      () => instruments.stackSampler,
      () => this.#endPeriod('last'),
      log,
      guard,
    );
    this.#isRemote = settings.remote === 'on';
    this.#schedule = new FlushSchedule(settings.periodMs, () => {
      this.#exitHooks.periodEnded();
      guard.run(() => this.#endPeriod('more-to-come'), undefined);
    });
    this.#startInstruments(settings);
    this.#collector = new PeriodCollector(instruments, (part, fault) => this.#giveUp(part, fault));
    this.#process = instruments.stackSampler === undefined ? { ...process, rateHz: 0 } : process;
    try {
      this.#http = settings.http === 'transactions' ? followHttpServers(instruments.tracker, guard) : undefined;
      this.#endGraphql = followGraphqlOperations(guard, (type, name) => this.nameOperation(type, name));
      this.#schedule.start(Math.random());
      this.#exitHooks.install(this.#atExit);
    } catch (fault) {
      this.#schedule.stop();
      this.#exitHooks.remove(this.#atExit);
      this.#pause(); // nobody else knows what runs already
      throw fault;
    }
  }

  get tracker(): TransactionTracker {
    return this.#instruments.tracker;
  }

  routeFrom(request: object, route: RouteOfRequest): void {
    this.#http?.routeFrom(request, route);
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
    if (which === 'last') this.#endedLastAt = performance.now();
    return this.#outbox.flush(timeoutMs, which);
  }

  /** @param open - Gives a sampler if there can be one; left out: the heap is sampled no more. */
  sampleMemory(open: (() => MemorySampler | undefined) | undefined): void {
    const { memorySampler } = this.#instruments;
    if (open === undefined) {
      this.#instruments.memorySampler = undefined;
      memorySampler?.stop();
    } else if (memorySampler === undefined) {
      this.#instruments.memorySampler = open();
      this.#startMemory();
    }
  }

  /** The batches of the periods that begin now or later and end within this time; the last ends with it. */
  async collect(durationMs: DurationMs): Promise<readonly Batch[]> {
    if (durationMs > 0) this.#endPeriod('more-to-come');
    const batches: Batch[] = [];
    const collect = (batch: Batch): void => void batches.push(batch);
    this.#collectors.add(collect);
    if (durationMs > 0) await new Promise((resolve) => setTimeout(resolve, durationMs).unref());
    if (!this.#isStopping) this.#endPeriod('more-to-come'); // else the sampler is not ours any more
    this.#collectors.delete(collect);
    return batches;
  }

  /** Sends what there is, then nothing more. */
  async stop(timeoutMs: DurationMs): Promise<void> {
    this.#isStopping = true;
    this.#schedule.stop();
    this.#http?.end();
    this.#endGraphql();
    const flushed = this.flush(timeoutMs, 'last');
    this.#pause();
    await flushed;
    this.#exitHooks.remove(this.#atExit);
    this.#outbox.stop();
  }

  /** Each by itself: one that does not start, as beside a profiler of the host, is missing, and the others measure. */
  #startInstruments(settings: AgentSettings): void {
    const instruments = this.#instruments;
    this.#guard.run(() => instruments.metrics.start(), undefined);
    this.#startMemory();
    try {
      instruments.stackSampler?.start();
    } catch (fault) {
      this.#giveUp('stacks', fault);
      instruments.tracker = new TransactionTracker(wireWithoutSampler()); // its wiring would label what another profiler samples
    }
    if (settings.waits === 'off') return;
    const waits = new WaitRecorder(instruments.tracker, this.#guard, settings.periodMs);
    instruments.waits = waits;
    this.#endWaits = followWaits(waits, this.#guard);
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

  #obey(body: unknown): void {
    if (!this.#isRemote || this.#isStopping) return;
    for (const { id, durationMs } of readCommands(body, this.#process.id)) {
      if (this.#lineRecording.isRunning || this.#begunCommands.includes(id)) continue;
      this.#begunCommands.push(id);
      if (this.#begunCommands.length > COMMANDS_REMEMBERED) this.#begunCommands.shift();
      this.#lineRecording.start(durationMs);
    }
  }

  #pause(): void {
    this.#lineRecording.stop();
    this.#endWaits();
    this.#guard.run(() => this.#instruments.waits?.stop(), undefined);
    this.#guard.run(() => this.#instruments.stackSampler?.pause(), undefined);
    this.#guard.run(() => this.#instruments.memorySampler?.stop(), undefined);
    this.#guard.run(() => this.#instruments.metrics.stop(), undefined);
  }

  /** Synchronous: the process ends. With a spool its last period is kept, for the next process to send. */
  #lastWords(): void {
    if (this.#outbox.hasSpool) {
      if (performance.now() - this.#endedLastAt > NOTHING_NEW_MS) this.#endPeriod('last');
      this.#guard.run(() => this.#outbox.saveAtExit(), undefined);
    }
    this.#pause();
  }

  #endPeriod(which: 'more-to-come' | 'last'): void {
    const dropped = this.#outbox.takeDropped();
    const batch = this.#guard.run(
      () => this.#collector.endPeriod(this.#process, dropped, this.#outbox.series, which === 'last'),
      undefined,
    );
    if (batch === undefined) {
      this.#outbox.countLost({ batches: dropped.batches + 1, samples: dropped.samples });
      return;
    }
    for (const collect of this.#collectors) collect(batch);
    const standsFor = { batches: dropped.batches + 1, samples: dropped.samples + countSamples(batch) };
    const encoded = this.#encode(batch);
    if (encoded === undefined) this.#outbox.countLost(standsFor);
    else this.#outbox.put({ sequence: batch.sequence, encoded, standsFor });
  }

  #encode(batch: Batch): Uint8Array | undefined {
    return this.#guard.run(() => {
      const beganAt = performance.now();
      const bytes = encodeBatch(batch);
      this.#collector.addFlushTime(performance.now() - beganAt);
      return bytes;
    }, undefined);
  }

  /** Stops a sampler that failed, which nobody would read any more, and goes on without it. */
  #giveUp(part: InstrumentPart, fault: unknown): void {
    const { stackSampler, memorySampler } = this.#instruments;
    if (part === 'stacks') {
      this.#instruments.stackSampler = undefined;
      this.#guard.run(() => stackSampler?.pause(), undefined);
      this.#log.warn(
        'AGENT_NO_SAMPLER',
        `no stacks are sampled, transactions and process metrics are still sent: ${describeError(fault)}`,
      );
    } else if (part === 'heap') {
      this.#instruments.memorySampler = undefined;
      this.#guard.run(() => memorySampler?.stop(), undefined);
      this.#log.warn('AGENT_NO_HEAP_SAMPLER', `the heap is not sampled: ${describeError(fault)}`);
    } else {
      this.#endWaits();
      this.#guard.run(() => this.#instruments.waits?.stop(), undefined);
      this.#instruments.waits = undefined;
      this.#log.warn('AGENT_NO_WAITS', `what is waited for is not recorded any more: ${describeError(fault)}`);
    }
  }
}
