import type { AgentOptions } from './options/options.js';
import { lookLike } from './safety/look-like.js';
import { sharedAgent } from './shared-agent.js';
import type { Labels } from './transactions/label-limits.js';
import { copyMetadata } from './transactions/copy-metadata.js';
import { methodDecorator, nameOfCall, type MethodDecoratorOfEitherKind } from './transactions/method-decorator.js';

export { bucket } from './transactions/bucket.js';
export type { AgentOptions, TriggerOptions } from './options/options.js';
export type { AgentLogger } from './safety/agent-log.js';
export type { LabelValue, Labels } from './transactions/label-limits.js';

/** What `wrap` calls the transactions of a function. */
export interface WrapOptions<Args extends readonly unknown[] = readonly unknown[]> {
  /** Fixed or made from the arguments of each call; one of few. Default: the function's own name. */
  readonly name?: string | ((...args: Args) => string) | undefined;
  /** Labels of each call, fixed or made from its arguments. */
  readonly labels?: Labels | ((...args: Args) => Labels) | undefined;
}

const agent = sharedAgent();

/**
 * Starts profiling this process. What is not given comes from the environment (`HEARTH_URL`, `HEARTH_KEY`, `HEARTH_SERVICE`, ...).
 *
 * Never throws and never stops the host: what is wrong is said in one line. With `HEARTH_ENABLED=off` it does nothing at all; called
 * again while the agent runs, it changes nothing and says so. In a worker thread it measures that thread for the agent of the main thread,
 * whose options hold.
 */
export function init(options: AgentOptions = {}): void {
  agent.init(options);
}

/**
 * Runs `fn` as one unit of work, and gives what it gives: its value, its promise, its error, all untouched (a promise is a new one
 * that settles alike). CPU, time, outcome and duration of everything inside, also after awaits, timers and callbacks, are filed under
 * this name and these labels. Transactions nest; a sample belongs to the innermost.
 *
 * The outcome is `ok`; `timeout` or `aborted` for an error named or coded so (`TimeoutError`, `ETIMEDOUT`, `AbortError`); else `error`.
 * A `fn` that returns anything but a promise is over when it returns. What has a `then` and is no promise, as a query that is sent once it is awaited, is given back as
 * it is: awaited before the event loop goes on, the transaction ends with it; else it is over.
 *
 * @param name - One of few, as `import-orders`: never with an id in it. Cut at 200 characters.
 * @param labels - Few values each, as a plan or a `bucket()`. At most 32; objects, `null` and `undefined` are left out. In one process and
 *   period at most 100 values of a label and 256 label sets are kept, the rest is counted as `__other__`.
 */
export function transaction<Result>(name: string, fn: () => Result): Result;
export function transaction<Result>(name: string, labels: Labels | undefined, fn: () => Result): Result;
export function transaction<Result>(name: string, labelsOrFn: Labels | undefined | (() => Result), fn?: () => Result): Result {
  return typeof labelsOrFn === 'function'
    ? agent.transaction(name, undefined, labelsOrFn as () => Result)
    : agent.transaction(name, labelsOrFn, fn!);
}

/**
 * Runs `fn` as a step of the current transaction, and gives what it gives, as `transaction` does: a promise is a new one that settles alike. Samples taken
 * inside it carry the label `span` with its name, beside the labels of the transaction; the innermost span wins. Of a slow transaction that is kept as an exemplar
 * its first 200 steps are sent, with when they began, how long they took, how they ended, and their inputs. Outside of a transaction `fn` only runs.
 *
 * @param inputs - What the step worked on, for exemplars only: any values, at most 16 of one step and 200 of one transaction.
 */
export function span<Result>(name: string, fn: () => Result): Result;
export function span<Result>(name: string, inputs: Labels | undefined, fn: () => Result): Result;
export function span<Result>(name: string, inputsOrFn: Labels | undefined | (() => Result), fn?: () => Result): Result {
  return typeof inputsOrFn === 'function' ? agent.span(name, inputsOrFn as () => Result) : agent.span(name, fn!, inputsOrFn);
}

/**
 * Counts the runs of a snippet and how long they took, for work that is too small or too frequent for a transaction: `measure('parse', () => parse(text))`. Gives
 * what `fn` gives, as `transaction` does: a promise is a new one that settles alike, and the run ends when it settles. Kept are, for each name and period, the
 * number of runs by outcome, and their durations within 1 %. Samples, spans and waits are filed where they would be without it.
 *
 * @param name - One of few, as `parse`: never with an id in it. After 200 names in one process runs of others are counted together, as `(other)`.
 */
export function measure<Result>(name: string, fn: () => Result): Result {
  return agent.measure(name, fn);
}

/**
 * Adds labels to the innermost transaction that runs here; a name it has already gets the new value. They hold for the whole
 * transaction, also for samples taken before, unless those have been sent: what comes later than that is counted as a late label.
 *
 * @param context - What only a slow transaction that is kept as an exemplar tells, as the number of an order: any values, at most 31. No sample and no count carries it.
 */
export function tag(labels: Labels, context?: Labels): void {
  agent.tag(labels, context);
}

/**
 * A function that does as `fn` does, each call being a transaction. `this`, arguments and result are passed through; its name and
 * number of parameters are those of `fn`.
 */
export function wrap<Fn extends (...args: never[]) => unknown>(fn: Fn, options?: WrapOptions<Parameters<Fn>>): Fn {
  if (typeof fn !== 'function') return fn;
  return followed(fn, () => (fn.name === '' ? '(anonymous)' : fn.name), options);
}

/**
 * Makes each call of a method a transaction, as `wrap` does with a function: `@Transaction()`. Its name is `Class.method`, by the class of the object that it is
 * called on, unless `options.name` says another, which minified code needs. Metadata of the method, as NestJS keeps it, stays. For decorators as ECMAScript has them and for TypeScript's `experimentalDecorators`.
 */
export function Transaction<Args extends readonly unknown[]>(options?: WrapOptions<Args>): MethodDecoratorOfEitherKind {
  return methodDecorator((method, methodName) => followed(method, (self) => nameOfCall(self, methodName), options));
}

/**
 * A function that runs `fn` in the transaction that is current now, wherever it is called: for callbacks that a pool or an event
 * emitter keeps and calls from somewhere else. Only the agent's own context is moved, no AsyncLocalStorage of the host.
 */
export function bind<Fn extends (...args: never[]) => unknown>(fn: Fn): Fn {
  return agent.bind(fn);
}

/**
 * Ends the current period now and sends it, with all that waits.
 *
 * @returns Whether the server has stored it all, within 5 s. Never rejects. `true` where the agent does not run.
 */
export function flush(): Promise<boolean> {
  return agent.flush();
}

/** Sends what there is, within 5 s, and stops profiling. May be called at any time, and more than once; `init` starts again. Never rejects. */
export function stop(): Promise<void> {
  return agent.stop();
}

/** A function that does as `fn` does, each call being a transaction. */
function followed<Fn extends (...args: never[]) => unknown, Args extends readonly unknown[]>(
  fn: Fn,
  nameOf: (self: unknown) => string,
  options: WrapOptions<Args> | undefined,
): Fn {
  const { name, labels } = options ?? {}; // a host in JavaScript may give null
  const ours = function (this: unknown, ...args: Args): unknown {
    const itsName = (typeof name === 'function' ? madeOfCall(name, args) : name) ?? nameOf(this);
    const itsLabels = typeof labels === 'function' ? madeOfCall(labels, args) : labels;
    // The compiler cannot see that these are what `fn` takes.
    return agent.transaction(itsName, itsLabels, () => fn.apply(this, args as readonly unknown[] as never[]), fn);
  };
  copyMetadata(fn, ours);
  return lookLike(ours as (...args: never[]) => unknown, fn);
}

/** The host's own function makes this; an error in it must not become an error of the call. */
function madeOfCall<Args extends readonly unknown[], Made>(make: (...args: Args) => Made, args: Args): Made | undefined {
  try {
    return make(...args);
  } catch {
    return undefined;
  }
}
