import { NO_PARENT, type DurationMs } from '@hearth/profile-model';
import { ownRequire } from '../safety/own-place.js';
import { wireByReference, type ContextWiring } from '../transactions/context-wiring.js';
import type { Scope } from '../transactions/transaction.js';
import type { ScopedSamples } from './scoped-samples.js';
import type { SampledPeriod, StackSampler } from './stack-sampler.js';
import type { StackTables } from './stack-tables.js';
import { MAX_PERIOD_MS } from './native-profiler.js';

/** What is used of the public `time` of `@datadog/pprof`. */
interface PublicTime {
  /** Throws where one runs already. */
  start(options: object): void;
  stop(
    restart: boolean,
    generateLabels?: (sample: { context?: { context?: object } }) => Record<string, string | number>,
  ): PprofProfile;
  setContext(context: object): void;
  getState(): Uint32Array;
  isStarted(): boolean;
  readonly constants: { readonly kSampleCount: number };
}

/** The parts of the pprof it answers that are read here; numbers may be bigints. */
interface PprofProfile {
  readonly stringTable: { readonly strings: readonly string[] };
  readonly sampleType: readonly { readonly type: number | bigint }[];
  readonly sample: readonly PprofSample[];
  readonly location: readonly {
    readonly id: number | bigint;
    readonly line: readonly { readonly functionId: number | bigint; readonly line: number | bigint }[];
  }[];
  readonly function: readonly {
    readonly id: number | bigint;
    readonly name: number | bigint;
    readonly filename: number | bigint;
  }[];
}

interface PprofSample {
  /** The leaf first. */
  readonly locationId: readonly (number | bigint)[];
  readonly value: readonly (number | bigint)[];
  readonly label: readonly { readonly key: number | bigint; readonly num: number | bigint }[];
}

const SCOPE_LABEL = 'hearth scope';

/**
 * Samples stacks through the public calls of `@datadog/pprof`, where its inner file is not as the agent knows it. Slower, and CPU
 * is as the samples' counters say: what idle samples saw of it is on `(program)`.
 */
export class PublicSampler implements StackSampler {
  readonly rateHz: number;
  readonly wiring: ContextWiring;
  readonly #time: PublicTime;
  #wasStarted = false;
  #isRead = true;

  /** @throws if the add-on does not load here */
  constructor(rateHz: number) {
    this.rateHz = rateHz;
    this.#time = (ownRequire('@datadog/pprof') as { time: PublicTime }).time;
    const time = this.#time;
    this.wiring = wireByReference({
      setContext: (context) => time.setContext(context),
      sampleCount: () => time.getState()[time.constants.kSampleCount]!,
    });
  }

  /** @throws if the host runs a profiler of this add-on: taking it over would be taking it away */
  start(): void {
    if (this.#wasStarted && this.#time.isStarted()) {
      this.#time.stop(true); // what it sampled while it was paused belongs to nobody
    } else {
      this.#time.start({
        intervalMicros: Math.round(1_000_000 / this.rateHz),
        durationMillis: MAX_PERIOD_MS,
        withContexts: true,
        collectCpuTime: true,
        workaroundV8Bug: false,
      });
      this.#wasStarted = true;
    }
    this.wiring.resume();
    this.wiring.periodEnded();
  }

  endPeriod(tables: StackTables): SampledPeriod {
    if (!this.#isRead) return { rows: [], lines: 'definition', wasRestarted: false };
    const scopes: Scope[] = [];
    const profile = this.#time.stop(true, ({ context }) => {
      const scope = this.wiring.scopeOf(context?.context);
      return scope === undefined ? {} : { [SCOPE_LABEL]: scopes.push(scope) };
    });
    this.wiring.periodEnded();
    return { rows: readPprof(profile, tables, scopes), lines: 'definition', wasRestarted: false };
  }

  sampleLines(lines: 'definition' | 'call-site'): void {
    if (lines === 'call-site') throw new Error('the public calls of @datadog/pprof do not give lines beside scopes');
  }

  /** All the time or, at 0, read by nobody: what costs most is to read it, and the public `stop` would dispose of the profiler. */
  sampleFor(windowMs: DurationMs | undefined): void {
    const isRead = windowMs !== 0;
    if (isRead && !this.#isRead) this.#time.stop(true);
    this.#isRead = isRead;
    this.wiring.periodEnded();
  }

  get samplingHz(): number {
    return this.rateHz;
  }

  raiseRate(): void {
    throw new Error('the public calls of @datadog/pprof give one rate');
  }

  lowerRate(): void {}

  /** Goes on sampling: the public `stop` would dispose of the profiler, which can end the host. Its samples are read by nobody. */
  pause(): void {
    this.wiring.pause();
  }
}

function readPprof(profile: PprofProfile, tables: StackTables, scopes: readonly Scope[]): ScopedSamples[] {
  const text = (row: number | bigint): string => profile.stringTable.strings[Number(row)] ?? '';
  const functions = new Map(profile.function.map((one) => [Number(one.id), one]));
  const frames = new Map(
    profile.location.map((location) => {
      const line = location.line[0]!;
      const definition = functions.get(Number(line.functionId))!;
      return [
        Number(location.id),
        { name: text(definition.name), scriptName: text(definition.filename), line: Number(line.line) },
      ];
    }),
  );
  const at = Object.fromEntries(profile.sampleType.map(({ type }, column) => [text(type), column]));
  return profile.sample.map(({ locationId, value, label }) => {
    const framesRootFirst = locationId.map((id) => frames.get(Number(id))!).reverse();
    const isIdle = framesRootFirst.at(-1)?.name === '(idle)';
    const scopeNumber = label.find(({ key }) => text(key) === SCOPE_LABEL)?.num;
    const nanos = (column: string): number => Number(value[at[column] ?? -1] ?? 0);
    return {
      stackRow: framesRootFirst.length === 0 ? NO_PARENT : tables.stackRowOfFrames(framesRootFirst),
      scope: isIdle || scopeNumber === undefined ? undefined : scopes[Number(scopeNumber) - 1],
      count: nanos('sample'),
      wallMicros: nanos('wall') / 1000,
      cpuMicros: isIdle ? undefined : nanos('cpu') / 1000,
    };
  });
}
