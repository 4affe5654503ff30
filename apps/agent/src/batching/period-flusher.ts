import timers from 'node:timers';
import type { DurationMs } from '@hearth/profile-model';
import type { Batch, BatchProcess } from '@hearth/wire-format';
import type { CostKeeper, FlushPiece } from '../governor/cost-keeper.js';
import type { OnDemand } from '../remote/on-demand.js';
import type { WatchedHandlers } from '../lost-context/watched-handlers.js';
import type { Guard } from '../safety/guard.js';
import type { Outbox } from '../shipping/outbox.js';
import type { SourceMapSender } from '../source-maps/source-map-sender.js';
import type { ThreadLink } from '../threads/thread-link.js';
import type { ThreadPeriods } from '../threads/thread-periods.js';
import { countSamples, type EndedPeriod, type PeriodCollector } from './period-collector.js';

interface UnpackedPeriod {
  /** `undefined` where it could not be taken. */
  readonly ended: EndedPeriod | undefined;
  readonly which: 'more-to-come' | 'last';
  readonly wasRaised: boolean;
  /** The next one has another rate. */
  readonly hasTurned: boolean;
  /** The rate that it had. */
  readonly raiseSeries: Batch['series'];
}

/** What a period comes from, and where it goes. */
export interface FlushPath {
  readonly collector: PeriodCollector;
  /** Of the main thread. */
  readonly threads: ThreadPeriods | undefined;
  readonly onDemand: OnDemand;
  readonly outbox: Outbox | ThreadLink;
  /** `undefined` where none may be sent. */
  readonly sourceMaps: SourceMapSender | undefined;
  readonly handlers: () => WatchedHandlers | undefined;
  readonly costs: CostKeeper;
  readonly process: () => BatchProcess;
}

/** Ends periods, packs each into a batch, and hands that on. */
export class PeriodFlusher {
  readonly #path: FlushPath;
  readonly #guard: Guard;
  /** Called with each batch, beside its being sent. */
  readonly #collectors = new Set<(batch: Batch) => void>();
  /** A period that has ended, and is no batch yet. */
  #unpacked: UnpackedPeriod | undefined;
  #isClosing = false;

  constructor(path: FlushPath, guard: Guard) {
    this.#path = path;
    this.#guard = guard;
  }

  /** @param pieces - In two the host's work may run between them: nobody waits for the batch. */
  endPeriod(which: 'more-to-come' | 'last', pieces: 'one' | 'two' = 'one'): void {
    this.pack();
    const { costs, threads, onDemand, collector, sourceMaps } = this.#path;
    const { raise } = onDemand;
    const piece = costs.beginPiece();
    const ofThreads = this.#guard.run(() => threads?.take(), undefined);
    const wasRaised = raise?.isRaised ?? false;
    const raiseSeries = raise?.series ?? [];
    if (which !== 'last') this.#guard.run(() => onDemand.lookAtLoad(), undefined);
    const ended = this.#guard.run(() => collector.endPeriod(which === 'last', ofThreads, piece.parts), undefined);
    this.#guard.run(() => raise?.periodEnded(), undefined);
    this.#unpacked = { ended, which, wasRaised, hasTurned: (raise?.isRaised ?? false) !== wasRaised, raiseSeries };
    if (pieces === 'one') return this.pack(piece);
    costs.endPiece(piece);
    timers.setImmediate(() => {
      this.#guard.run(() => this.pack(), undefined);
      sourceMaps?.wake();
      if (this.#path.handlers()?.hasUnlocated === true)
        timers.setImmediate(() => this.#guard.run(() => this.#locate(), undefined)).unref();
    });
  }

  /** A piece of its own, in the next turn of the event loop; the next period is the first that knows of it. */
  #locate(): void {
    if (this.#isClosing) return;
    const piece = this.#path.costs.beginPiece();
    this.#path.handlers()?.locate();
    this.#path.costs.endPiece(piece);
  }

  /** Makes the batch of a period that has ended, if there is one. */
  pack(begun?: FlushPiece): void {
    if (this.#unpacked === undefined) return;
    const { collector, outbox, costs, onDemand, process, sourceMaps } = this.#path;
    const piece = begun ?? costs.beginPiece();
    const { ended, which, wasRaised, hasTurned, raiseSeries } = this.#unpacked;
    this.#unpacked = undefined;
    const dropped = outbox.takeDropped();
    const series = [...costs.series(ended?.threads?.cpuMicros ?? 0), ...outbox.series, ...raiseSeries];
    const batch = ended && this.#guard.run(() => collector.pack(ended, process(), dropped, series, piece.parts), undefined);
    if (batch === undefined) {
      outbox.countLost({ batches: dropped.batches + 1, samples: dropped.samples });
      return;
    }
    for (const collect of this.#collectors) collect(batch);
    sourceMaps?.note(batch.functions.scriptName);
    const standsFor = { batches: dropped.batches + 1, samples: dropped.samples + countSamples(batch) };
    this.#guard.run(() => outbox.put(batch, standsFor, which), undefined);
    costs.endPiece(piece);
    if (this.#isClosing) return;
    const rate = wasRaised || hasTurned ? 'raised' : 'usual';
    const isTooMuch = this.#guard.run(() => costs.endFlush(batch.durationMs, rate), false);
    if (isTooMuch && wasRaised && !hasTurned) this.#guard.run(() => onDemand.raise?.endAsTooMuch(), undefined);
  }

  /** The batches of the periods that begin now or later and end within this time; the last ends with it. */
  async collect(durationMs: DurationMs): Promise<readonly Batch[]> {
    if (durationMs > 0) this.endPeriod('more-to-come');
    const batches: Batch[] = [];
    const collect = (batch: Batch): void => void batches.push(batch);
    this.#collectors.add(collect);
    if (durationMs > 0) await new Promise((resolve) => timers.setTimeout(resolve, durationMs).unref());
    if (!this.#isClosing) this.endPeriod('more-to-come'); // else the sampler is not ours any more
    this.#collectors.delete(collect);
    return batches;
  }

  /** The agent stops: what it costs changes nothing any more, and nobody but its stop ends a period. */
  close(): void {
    this.#isClosing = true;
  }
}
