import { AsyncLocalStorage, createHook, executionAsyncResource } from 'node:async_hooks';
import type { NativeModule, NativeTimeProfiler } from '../samplers/native-profiler.js';
import type { Scope } from './transaction.js';

/** How the current scope follows the host's asynchronous work, and how a sample finds it. */
export interface ContextWiring {
  /** `frames`, `reference`, or `none` where nothing samples. */
  readonly name: 'frames' | 'reference' | 'none';
  /** From here to the end of this synchronous call, and in all that it starts. */
  enter(scope: Scope): void;
  run<Result>(scope: Scope | undefined, fn: () => Result): Result;
  current(): Scope | undefined;
  /** The scope behind the context of a sample. */
  readonly scopeOf: (context: object | undefined) => Scope | undefined;
  periodEnded(): void;
  /** Nothing is followed until `resume`, and following costs the host nothing meanwhile. */
  pause(): void;
  resume(): void;
}

/** A profiler that reads labels out of async context frames by itself: Node 24 and later, 22 with its flag. */
export function wireByFrames(profiler: NativeTimeProfiler, key: AsyncLocalStorage<object>): ContextWiring {
  return {
    name: 'frames',
    enter: (scope) => key.enterWith(profiler.createContextHolder(scope)),
    run: (scope, fn) => (scope === undefined ? key.exit(fn) : key.run(profiler.createContextHolder(scope), fn)),
    current: () => profiler.context as Scope | undefined,
    scopeOf: (context) => context as Scope | undefined,
    periodEnded: () => {},
    pause: () => {},
    resume: () => {},
  };
}

/** Something whose context can be set and whose samples of this period are counted. */
export interface ContextTarget {
  setContext(context: object): void;
  sampleCount(): number;
}

/** A native profiler, and whichever takes its turn. */
export interface NativeContextTarget extends ContextTarget {
  /** From here on `profiler` samples, which does not run yet: what is current is current there. */
  moveTo(profiler: NativeTimeProfiler): void;
}

export function nativeContextTarget(native: NativeModule, first: NativeTimeProfiler): NativeContextTarget {
  let profiler = first;
  let { state } = profiler;
  let current: object = {};
  const at = native.constants.kSampleCount;
  return {
    setContext: (context) => {
      profiler.context = current = context;
    },
    sampleCount: () => state[at]!,
    moveTo: (next) => {
      profiler.context = {}; // or it holds the last scope for as long as it rests
      profiler = next;
      state = next.state;
      next.context = current;
    },
  };
}

/** Callbacks do not run so deep inside one another: there are more only where Node never said that they ended. */
const MAX_NESTED = 10_000;

/** One name for all time: V8 looks a property up fast as long as it is the same that was looked up before. */
const HANDED = Symbol('hearth.handed');
/** What is kept on the resources of Node's asynchronous work. */
interface Handed {
  readonly scope: Scope;
  /** Which time following was resumed: what was handed on before a pause is long over. */
  readonly resumes: number;
}
interface Followed {
  [HANDED]?: Handed;
}

/**
 * Node 20, and 22 without the flag: samples refer to a holder, and a hook points the holder at what runs next.
 *
 * The hook hands the scope on by itself: an AsyncLocalStorage has one of its own there, and each costs every promise of the host.
 */
export function wireByReference(target: ContextTarget): ContextWiring {
  let holder: { handed?: Handed | undefined } = {};
  let samplesSeen = -1;
  /** What was current around each callback that runs now, the outermost first. */
  const outer: (Handed | undefined)[] = [];
  let isFollowing = false;
  let resumes = 0;
  function pointAt(handed: Handed | undefined): void {
    const samples = target.sampleCount();
    // A holder that a sample refers to must not change any more; until then it is used again, without a native call.
    if (samples !== samplesSeen) {
      samplesSeen = samples;
      target.setContext((holder = {}));
    }
    holder.handed = handed;
  }
  const hook = createHook({
    init: (_id, _type, _trigger, resource) => {
      const { handed } = holder;
      if (handed !== undefined) (resource as Followed)[HANDED] = handed;
    },
    // Callbacks may run inside one another (AsyncResource.runInAsyncScope): hence the stack.
    before: () => {
      outer.push(holder.handed);
      const handed = (executionAsyncResource() as Followed)[HANDED];
      pointAt(handed?.resumes === resumes ? handed : undefined);
    },
    after: () => pointAt(outer.pop()), // an `after` whose `before` came while it was paused finds nothing
  });
  return {
    name: 'reference',
    enter: (scope) => {
      if (!isFollowing) return;
      const handed = { scope, resumes };
      pointAt(handed);
      // A resource may call back again for the same work: a connection with the rest of the request's body.
      (executionAsyncResource() as Followed)[HANDED] = handed;
    },
    run: (scope, fn) => {
      if (!isFollowing) return fn();
      const before = holder.handed;
      pointAt(scope === undefined ? undefined : { scope, resumes });
      try {
        return fn();
      } finally {
        pointAt(before);
      }
    },
    current: () => holder.handed?.scope,
    scopeOf: (context) => (context as { handed?: Handed } | undefined)?.handed?.scope,
    periodEnded: () => {
      samplesSeen = -1; // the counter starts again at 0 and could meet its old value
      if (outer.length > MAX_NESTED) outer.length = 0;
    },
    pause: () => {
      isFollowing = false;
      hook.disable();
      outer.length = 0;
      pointAt(undefined);
    },
    resume: () => {
      isFollowing = true;
      resumes += 1;
      pointAt(undefined);
      hook.enable();
    },
  };
}

/** Transactions are counted, and nothing samples. */
export function wireWithoutSampler(): ContextWiring {
  const store = new AsyncLocalStorage<Scope | undefined>();
  return {
    name: 'none',
    enter: (scope) => store.enterWith(scope),
    run: (scope, fn) => store.run(scope, fn),
    current: () => store.getStore(),
    scopeOf: () => undefined,
    periodEnded: () => {},
    pause: () => {},
    resume: () => {},
  };
}
