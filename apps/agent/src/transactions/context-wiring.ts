import { AsyncLocalStorage, createHook } from 'node:async_hooks';
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

export function nativeContextTarget(native: NativeModule, profiler: NativeTimeProfiler): ContextTarget {
  const { state } = profiler;
  const at = native.constants.kSampleCount;
  return {
    setContext: (context) => {
      profiler.context = context;
    },
    sampleCount: () => state[at]!,
  };
}

/** Callbacks do not run so deep inside one another: there are more only where Node never said that they ended. */
const MAX_NESTED = 10_000;

/** Node 20, and 22 without the flag: samples refer to a holder, and a hook points the holder at what runs next. */
export function wireByReference(target: ContextTarget): ContextWiring {
  const store = new AsyncLocalStorage<Scope | undefined>();
  let holder: { scope?: Scope | undefined } = {};
  let samplesSeen = -1;
  /** What was current around each callback that runs now, the outermost first. */
  const outerScopes: (Scope | undefined)[] = [];
  function pointAt(scope: Scope | undefined): void {
    const samples = target.sampleCount();
    // A holder that a sample refers to must not change any more; until then it is used again, without a native call.
    if (samples !== samplesSeen) {
      samplesSeen = samples;
      target.setContext((holder = {}));
    }
    holder.scope = scope;
  }
  const point = (): void => pointAt(store.getStore());
  // The sampler reads what was set last and knows nothing of AsyncLocalStorage: hence the hook. Callbacks may run inside one another
  // (AsyncResource.runInAsyncScope), and in `after` the storage has still the inner one's: hence the stack.
  const hook = createHook({
    before: () => {
      outerScopes.push(holder.scope);
      point();
    },
    after: () => pointAt(outerScopes.pop()), // an `after` whose `before` came while it was paused finds nothing
  });
  return {
    name: 'reference',
    enter: (scope) => {
      store.enterWith(scope);
      point();
    },
    run: (scope, fn) => {
      try {
        return store.run(scope, () => {
          point();
          return fn();
        });
      } finally {
        point(); // back to the caller's
      }
    },
    current: () => store.getStore(),
    scopeOf: (context) => (context as { scope?: Scope } | undefined)?.scope,
    periodEnded: () => {
      samplesSeen = -1; // the counter starts again at 0 and could meet its old value
      if (outerScopes.length > MAX_NESTED) outerScopes.length = 0;
    },
    pause: () => {
      hook.disable();
      outerScopes.length = 0;
      store.disable(); // on Node 20 an AsyncLocalStorage in use costs every promise of the host
    },
    resume: () => {
      hook.enable();
      point(); // what was current when it was paused is long over
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
