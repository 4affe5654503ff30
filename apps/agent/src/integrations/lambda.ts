import { isThenable } from '../safety/is-thenable.js';
import { copySymbols, lookLike } from '../safety/look-like.js';
import { sharedAgent } from '../shared-agent.js';

export interface WrapHandlerOptions {
  /** Of the transactions. Default: the name of the function, as its context has it. */
  readonly name?: string | undefined;
  /** Milliseconds that sending may hold the end of an invocation. Default 1,000; from 0, which sends nothing, to 5,000. */
  readonly maxFlushMs?: number | undefined;
}

/** What of a context is used. */
interface InvocationContext {
  readonly functionName?: string;
  getRemainingTimeInMillis?(): number;
}

type CallBack = (error?: unknown, result?: unknown) => void;

const DEFAULT_FLUSH_MS = 1_000;
const LONGEST_FLUSH_MS = 5_000;
/** Left of the invocation's own time limit when sending ends. */
const TO_SPARE_MS = 200;
/** A server that is away costs one invocation in this time. */
const AFTER_FAILURE_MS = 30_000;

/**
 * A handler for AWS Lambda, or what else calls functions like it, that does as `handler` does: each invocation is a transaction, and what was measured is sent
 * before it ends, because the process is frozen then. That takes at most `maxFlushMs`, leaves 200 ms of the invocation's time, and rests for 30 s after
 * it has failed. For handlers that return a promise or a value, and for those that call back.
 */
export function wrapHandler<Handler extends (...args: never[]) => unknown>(
  handler: Handler,
  options?: WrapHandlerOptions,
): Handler {
  if (typeof handler !== 'function') return handler;
  const flushAtEnd = flusher(options?.maxFlushMs);
  const ours = function (this: unknown, ...args: never[]): unknown {
    const context = contextOf(args);
    const name = options?.name ?? context.functionName ?? (handler.name === '' ? 'handler' : handler.name);
    const callBack: unknown = args[2];
    const invoke = (invoked: readonly unknown[]): unknown => Reflect.apply(handler, this, invoked);
    if (isCallBack(callBack)) return runWithCallBack(name, invoke, args, callBack, () => flushAtEnd(context));
    return runToItsEnd(name, () => invoke(args)).finally(() => flushAtEnd(context));
  };
  copySymbols(ours, handler); // they say that a handler streams its answer
  return lookLike(ours, handler);
}

async function runToItsEnd(name: string, invoke: () => unknown): Promise<unknown> {
  return sharedAgent().transaction(name, undefined, invoke);
}

/**
 * It ends with the promise that it returns, or else when it calls back. One that does neither, as by `context.succeed`, ends for Lambda alone: its
 * transaction is not counted.
 */
function runWithCallBack(
  name: string,
  invoke: (args: readonly unknown[]) => unknown,
  [event, context, , ...more]: readonly unknown[],
  callBack: CallBack,
  flush: () => Promise<void>,
): unknown {
  let returned: unknown;
  const invocation = async (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const settle: CallBack = (error, result) => (error === undefined || error === null ? resolve(result) : reject(error));
      returned = invoke([event, context, settle, ...more]);
      if (isThenable(returned)) resolve(returned);
    });
  const ended = runToItsEnd(name, invocation).finally(flush);
  if (isThenable(returned)) return ended;
  void ended.then(
    (result) => callBack(null, result),
    (error: unknown) => callBack(error),
  );
  return returned;
}

/** Never rejects. */
function flusher(maxFlushMs: unknown): (context: InvocationContext) => Promise<void> {
  const mostMs = typeof maxFlushMs === 'number' && maxFlushMs >= 0 ? Math.min(maxFlushMs, LONGEST_FLUSH_MS) : DEFAULT_FLUSH_MS;
  let restsUntil = 0;
  return async (context) => {
    const timeoutMs = Math.min(mostMs, timeLeftMs(context) - TO_SPARE_MS);
    if (!(timeoutMs > 0) || performance.now() < restsUntil) return;
    if (!(await sharedAgent().flush(timeoutMs))) restsUntil = performance.now() + AFTER_FAILURE_MS;
  };
}

function timeLeftMs(context: InvocationContext): number {
  try {
    return context.getRemainingTimeInMillis?.() ?? Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY; // it is none of Lambda's
  }
}

/** Behind the event, or behind the stream that a streaming handler writes to. */
function contextOf(args: readonly unknown[]): InvocationContext {
  const isContext = (value: unknown): boolean => {
    const { getRemainingTimeInMillis, functionName } = Object(value) as Partial<Record<string, unknown>>;
    return typeof getRemainingTimeInMillis === 'function' || typeof functionName === 'string';
  };
  return (args.slice(1, 3).find(isContext) ?? {}) as InvocationContext;
}

function isCallBack(value: unknown): value is CallBack {
  return typeof value === 'function';
}
