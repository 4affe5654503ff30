import type * as Inspector from 'node:inspector';
import { ownRequire } from '../safety/own-place.js';
import { MAX_STACK_DEPTH, SAMPLE_INTERVAL_BYTES } from './memory-sampler.js';

/** What V8 gives when sampling ends; @types/node has only a part of it. */
export interface AllocationProfile {
  readonly head: AllocationProfileNode;
  /** One entry for each raw sample. */
  readonly samples: readonly { readonly nodeId: number }[];
}

export interface AllocationProfileNode {
  readonly id: number;
  /** Lines and columns from 0; -1 is unknown. */
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  /** Bytes that this stack allocated, scaled up by V8 from its samples. */
  readonly selfSize: number;
  readonly children: readonly AllocationProfileNode[];
}

/** V8's sampler of what is allocated, dead or alive. */
export interface AllocationSource {
  begin(): void;
  /** Ends what was begun. */
  end(): AllocationProfile;
  /** Ends it, and nobody wants to know. */
  discard(): void;
}

/** Without these two an object that dies takes its sample with it. */
const DEAD_OR_ALIVE = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };

/** @throws where Node has neither */
export function openAllocationSource(): AllocationSource {
  const v8 = ownRequire('node:v8') as Partial<HeapProfileStarter>;
  return typeof v8.startHeapProfile === 'function' ? new HeapProfileSource(v8 as HeapProfileStarter) : new InspectorSource();
}

/** Of `node:v8` from Node 26 on. */
interface HeapProfileStarter {
  startHeapProfile(options: object): { stop(): string; [Symbol.dispose](): void };
}

class HeapProfileSource implements AllocationSource {
  readonly #v8: HeapProfileStarter;
  #handle: ReturnType<HeapProfileStarter['startHeapProfile']> | undefined;

  constructor(v8: HeapProfileStarter) {
    this.#v8 = v8;
  }

  begin(): void {
    this.#handle = this.#v8.startHeapProfile({
      sampleInterval: SAMPLE_INTERVAL_BYTES,
      stackDepth: MAX_STACK_DEPTH,
      ...DEAD_OR_ALIVE,
    });
  }

  end(): AllocationProfile {
    const profile = this.#handle!.stop();
    this.#handle = undefined;
    return JSON.parse(profile) as AllocationProfile;
  }

  discard(): void {
    this.#handle?.[Symbol.dispose]();
    this.#handle = undefined;
  }
}

/** Where there is nothing better: whenever it ends, the inspector has V8 collect the whole heap first. */
class InspectorSource implements AllocationSource {
  readonly #session: Inspector.Session;
  #isConnected = false;

  /** @throws where Node was built without its inspector */
  constructor() {
    const inspector = ownRequire('node:inspector') as typeof Inspector;
    this.#session = new inspector.Session();
  }

  /** @throws where the inspector may not be used */
  begin(): void {
    if (!this.#isConnected) this.#session.connect();
    this.#isConnected = true;
    this.#post('HeapProfiler.startSampling', {
      samplingInterval: SAMPLE_INTERVAL_BYTES,
      stackDepth: MAX_STACK_DEPTH,
      ...DEAD_OR_ALIVE,
    });
  }

  end(): AllocationProfile {
    return (this.#post('HeapProfiler.stopSampling') as { readonly profile: AllocationProfile }).profile;
  }

  discard(): void {
    this.#isConnected = false;
    this.#session.disconnect(); // ends its sampling too, and collects nothing
  }

  /** A session with its own thread answers before `post` returns. */
  #post(method: string, parameters: object = {}): object {
    let [fault, answer]: [Error | null, object | undefined] = [new Error('the inspector did not answer'), undefined];
    this.#session.post(method, parameters, (ownFault, ownAnswer) => {
      [fault, answer] = [ownFault, ownAnswer];
    });
    if (fault !== null) throw fault;
    return answer ?? {};
  }
}
