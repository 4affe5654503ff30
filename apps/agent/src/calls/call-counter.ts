import type * as Inspector from 'node:inspector';
import type { Session } from 'node:inspector';
import { getHeapStatistics } from 'node:v8';
import { isCoverageTaken } from '../options/environment.js';
import { ownRequire } from '../safety/own-place.js';

/** Functions of one script, as V8's precise coverage tells them. */
export interface CountedScript {
  readonly url: string;
  readonly functions: readonly {
    /** '' if anonymous. */
    readonly functionName: string;
    /** The first is the function itself. Offsets in the script's text, UTF-16. */
    readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
  }[];
}

/** V8 walks the whole heap to begin: about a millisecond for each megabyte. */
const MAX_HEAP_BYTES = 512 * 2 ** 20;

/** Counts every call of every function of this thread, by V8's precise coverage: while it does, V8 optimises nothing. */
export class CallCounter {
  #session: Session | undefined;

  /** @throws where it would take something from the host, or stop it for too long, or there is no inspector */
  start(): void {
    const inspector = ownRequire('node:inspector') as typeof Inspector;
    const reason = whyNot(inspector.url());
    if (reason !== undefined) throw new Error(reason);
    const session = new inspector.Session();
    session.connect();
    this.#session = session;
    try {
      post(session, 'Profiler.enable');
      post(session, 'Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    } catch (fault) {
      this.stop();
      throw fault;
    }
  }

  /** What was counted since the start. @throws where the inspector does not answer */
  take(): readonly CountedScript[] {
    if (this.#session === undefined) return [];
    return (post(this.#session, 'Profiler.takePreciseCoverage') as { readonly result: readonly CountedScript[] }).result;
  }

  stop(): void {
    const session = this.#session;
    this.#session = undefined;
    session?.disconnect(); // ends its coverage too
  }
}

/** A second coverage would begin the counts of the first anew, and end it: V8 has one of an isolate. */
function whyNot(inspectorUrl: string | undefined): string | undefined {
  if (isCoverageTaken()) return 'Node itself takes coverage here (NODE_V8_COVERAGE)';
  if (inspectorUrl !== undefined) return 'the inspector is open, and whoever is attached may count';
  const usedBytes = getHeapStatistics().used_heap_size;
  if (usedBytes > MAX_HEAP_BYTES) return `a heap of ${Math.round(usedBytes / 2 ** 20)} MiB would stand still for too long`;
  return undefined;
}

/** A session with its own thread answers before `post` returns. */
function post(session: Session, method: string, parameters: object = {}): object {
  let [fault, answer]: [Error | null, object | undefined] = [new Error('the inspector did not answer'), undefined];
  session.post(method, parameters, (ownFault, ownAnswer) => {
    [fault, answer] = [ownFault, ownAnswer];
  });
  if (fault !== null) throw fault;
  return answer ?? {};
}
