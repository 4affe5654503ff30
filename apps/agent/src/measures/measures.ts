import { DurationSketch } from '@hearth/profile-model';
import type { Outcome, TransactionCount } from '@hearth/wire-format';
import type { Guard } from '../safety/guard.js';
import { cleanName } from '../transactions/label-limits.js';
import { runToItsEnd } from '../transactions/run-to-its-end.js';

/** Names of snippets in one process, for its life; runs of all others are counted together. */
export const MAX_MEASURES = 200;
/** The name of those together. */
export const OTHER_MEASURES = '(other)';

const NANOS_PER_MS = 1e6;

/** Runs of one snippet that ended alike, in one period. */
interface Runs {
  count: number;
  /** What the fields of a count call microseconds. */
  durationSumNanos: number;
  /** Of nanoseconds: a snippet may be shorter than a microsecond. */
  sketch: DurationSketch;
}

/** One name, and what it has in the period that runs. */
interface Snippet {
  readonly name: string;
  /** Runs without an error, which most are. */
  readonly ok: Runs;
  readonly failed: Map<Outcome, Runs>;
}

/** A snippet's runs of one period; its label set is still to be given. */
export interface MeasuredRuns {
  readonly name: string;
  readonly counted: Omit<TransactionCount, 'labelSet'>;
}

/** Counts and times snippets of the host: a row for each name, and nothing for each run, so that they may be many thousands a second. */
export class Measures {
  readonly #guard: Guard;
  /** By the name as the host gives it: only such as are clean, so no other text is kept. */
  readonly #snippets = new Map<unknown, Snippet>();
  #other: Snippet | undefined;

  constructor(guard: Guard) {
    this.#guard = guard;
  }

  /** Runs `fn` and gives what it gives: value, promise or error. */
  run<Result>(name: unknown, fn: () => Result): Result {
    const startedAt = this.#now();
    return runToItsEnd(fn, (outcome) => this.#ended(name, outcome, startedAt));
  }

  /** Hands out what was counted, and counts anew. */
  endPeriod(): MeasuredRuns[] {
    const snippets = [...this.#snippets.values()];
    if (this.#other !== undefined) snippets.push(this.#other);
    return snippets.flatMap((snippet) => {
      const rows = takeRuns(snippet.name, 'ok', snippet.ok);
      for (const [outcome, runs] of snippet.failed) rows.push(...takeRuns(snippet.name, outcome, runs));
      return rows;
    });
  }

  /** Adds what another thread has counted under this name. */
  addCounted(name: string, { outcome, count, durationSumMicros, sketchBucket, sketchCount }: TransactionCount): void {
    const runs = runsOf(this.#snippetOf(name), outcome);
    runs.count += count;
    runs.durationSumNanos += durationSumMicros;
    runs.sketch.merge(DurationSketch.fromBuckets(sketchBucket, sketchCount));
  }

  #ended(name: unknown, outcome: Outcome, startedAt: number): void {
    try {
      const elapsed = Math.round((performance.now() - startedAt) * NANOS_PER_MS);
      const nanos = elapsed > 0 ? elapsed : 0; // a clock of the host's own may go back, or be none
      const snippet = this.#snippets.get(name) ?? this.#snippetOf(name);
      const runs = outcome === 'ok' ? snippet.ok : runsOf(snippet, outcome);
      runs.count += 1;
      runs.durationSumNanos += nanos;
      runs.sketch.add(nanos);
    } catch (fault) {
      this.#guard.report(fault);
    }
  }

  /** The host may have put something else in its place. */
  #now(): number {
    try {
      return performance.now();
    } catch (fault) {
      this.#guard.report(fault);
      return Number.NaN;
    }
  }

  #snippetOf(given: unknown): Snippet {
    const name = cleanName(given);
    let snippet = this.#snippets.get(name);
    if (snippet !== undefined) return snippet;
    if (this.#snippets.size >= MAX_MEASURES || name === OTHER_MEASURES) return (this.#other ??= newSnippet(OTHER_MEASURES));
    snippet = newSnippet(name);
    this.#snippets.set(name, snippet);
    return snippet;
  }
}

function newSnippet(name: string): Snippet {
  return { name, ok: newRuns(), failed: new Map() };
}

function newRuns(): Runs {
  return { count: 0, durationSumNanos: 0, sketch: new DurationSketch() };
}

function runsOf({ ok, failed }: Snippet, outcome: Outcome): Runs {
  if (outcome === 'ok') return ok;
  let runs = failed.get(outcome);
  if (runs === undefined) failed.set(outcome, (runs = newRuns()));
  return runs;
}

/** None where there was no run. Starts again from none. */
function takeRuns(name: string, outcome: Outcome, runs: Runs): MeasuredRuns[] {
  const { count, durationSumNanos, sketch } = runs;
  if (count === 0) return [];
  Object.assign(runs, newRuns());
  const { bucket: sketchBucket, count: sketchCount } = sketch.toBuckets();
  const durationSumMicros = Math.min(durationSumNanos, Number.MAX_SAFE_INTEGER); // a hundred days of runs beside each other
  return [{ name, counted: { kind: 'measure', outcome, count, durationSumMicros, sketchBucket, sketchCount } }];
}
