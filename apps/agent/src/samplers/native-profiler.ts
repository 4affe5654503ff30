import type { AsyncLocalStorage } from 'node:async_hooks';
import { isMainThread } from 'node:worker_threads';
import { ownRequire } from '../safety/own-place.js';

/** Start and end are microseconds of the monotonic clock (the package's own comment says nanoseconds). */
export interface RawProfile {
  readonly topDownRoot: RawNode;
  readonly startTime: number;
  readonly endTime: number;
}

/** One node of the tree of calls, as V8 has it. */
export interface RawNode {
  /** '' if anonymous; `(root)`, `(idle)`, `(program)`, `(garbage collector)` are V8's own. */
  readonly name: string;
  /** With `file://` where V8 has it; '' for V8's own. */
  readonly scriptName: string;
  /** V8's number of the script; 0 for V8's own. */
  readonly scriptId?: number;
  /** Line of the function's definition, of a profiler of lines the one that ran; from 1, 0 is unknown. */
  readonly lineNumber: number;
  /** In that line, from 1; 0 is unknown. In minified code it is all that tells functions apart. */
  readonly columnNumber: number;
  /** Samples whose leaf is this node. */
  readonly hitCount: number;
  /** One entry for each of them; missing where the profiler is one of lines. */
  readonly contexts?: readonly RawContext[];
  readonly children: readonly RawNode[];
}

export interface RawContext {
  /** What was current when the sample was taken. */
  readonly context?: object;
  /** Microseconds since 1970. */
  readonly timestamp: bigint;
  /** Nanoseconds of this thread's CPU since the sample before; missing on `(program)`, whose share the next sample holds. */
  readonly cpuTime?: number;
}

/** The native sampler of one thread. */
export interface NativeTimeProfiler {
  context: object | undefined;
  /** `state[kSampleCount]` counts the samples of this period. */
  readonly state: Uint32Array;
  start(): void;
  stop(restart: boolean): RawProfile;
  dispose(): void;
  createContextHolder(context: object): object;
  /** 0 no, 1 possible, 2 certain. */
  v8ProfilerStuckEventLoopDetected(): number;
}

/** The untyped file inside `@datadog/pprof` that gives the tree without its costly serializer. */
export interface NativeModule {
  readonly TimeProfiler: new (options: NativeProfilerOptions) => NativeTimeProfiler;
  readonly constants: { readonly kSampleCount: number };
}

interface NativeProfilerOptions {
  readonly intervalMicros: number;
  readonly durationMillis: number;
  /** Excludes `lineNumbers`; the two after it need it. */
  readonly withContexts: boolean;
  readonly lineNumbers: boolean;
  readonly collectCpuTime: boolean;
  readonly collectAsyncId: boolean;
  readonly workaroundV8Bug: boolean;
  readonly useCPED: boolean;
  readonly CPEDKey: AsyncLocalStorage<object> | undefined;
  readonly isMainThread: boolean;
}

/** Longest period that keeps all its samples: the sample buffer holds twice this, and what does not fit is lost without a sign. */
export const MAX_PERIOD_MS = 60_000;

const PROFILER_METHODS = ['start', 'stop', 'dispose', 'createContextHolder', 'v8ProfilerStuckEventLoopDetected'] as const;

/** @throws if the add-on does not load here, or is not what this file was written for. */
export function loadNativeModule(): NativeModule {
  const native = ownRequire('@datadog/pprof/out/src/time-profiler-bindings.js') as Partial<NativeModule>;
  const prototype = native.TimeProfiler?.prototype as Record<string, unknown> | undefined;
  for (const method of PROFILER_METHODS) {
    if (typeof prototype?.[method] !== 'function') throw new Error(`@datadog/pprof has no TimeProfiler.${method}`);
  }
  if (typeof native.constants?.kSampleCount !== 'number') throw new Error('@datadog/pprof has no kSampleCount');
  return native as NativeModule;
}

/** Samples scopes and CPU. @param contextKey - Where labels are found through async context frames; without it they are set by hand. */
export function createProfiler(
  native: NativeModule,
  intervalMicros: number,
  contextKey?: AsyncLocalStorage<object>,
): NativeTimeProfiler {
  return new native.TimeProfiler({
    ...commonOptions(intervalMicros),
    withContexts: true,
    lineNumbers: false,
    collectCpuTime: true,
    useCPED: contextKey !== undefined,
    CPEDKey: contextKey,
  });
}

/** Samples the lines that run, and neither scopes nor CPU. */
export function createLineProfiler(native: NativeModule, intervalMicros: number): NativeTimeProfiler {
  return new native.TimeProfiler({
    ...commonOptions(intervalMicros),
    withContexts: false,
    lineNumbers: true,
    collectCpuTime: false,
    useCPED: false,
    CPEDKey: undefined,
  });
}

function commonOptions(intervalMicros: number) {
  return {
    intervalMicros,
    durationMillis: MAX_PERIOD_MS,
    collectAsyncId: false,
    workaroundV8Bug: false, // true sleeps this thread 15-50 ms at every stop
    isMainThread,
  };
}

/** Ends one period and begins the next. A stuck V8 sampler would give empty periods from here on, so it is restarted in full. */
export function endPeriod(profiler: NativeTimeProfiler): { raw: RawProfile; wasRestarted: boolean } {
  const raw = profiler.stop(true);
  const wasRestarted = profiler.v8ProfilerStuckEventLoopDetected() > 0;
  if (wasRestarted) {
    profiler.stop(false);
    profiler.start(); // never dispose(): sampling while one of its holders is current would be a segmentation fault
  }
  return { raw, wasRestarted };
}

/** Is the tree what this version of the agent can read? Asked once, before the sampler is used. */
export function isReadableTree(raw: RawProfile): boolean {
  const root = raw.topDownRoot as Partial<RawNode> | undefined;
  if (!Array.isArray(root?.children) || !Number.isFinite(raw.startTime) || !Number.isFinite(raw.endTime)) return false;
  return root.children.every((child: Partial<RawNode>) => Array.isArray(child.contexts) && typeof child.name === 'string');
}
