import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from '../../platform/observability/index.js';
import type { FindFunctionsTask, FoundFunctions } from './find-functions.worker.js';
import type { GeneratedFunction } from './original-function.js';
import { FunctionFindingThread } from './source-map-threads.js';
import { SourceMaps, type SourceMapKey } from './source-maps.repository.js';

const WORKER_FILE = 'features/source-maps/find-functions.worker.js';
/** Of one task, once it runs. */
const RUN_TIMEOUT_MS = 10_000;
const FAILED_REST_MS = 60_000;
const REMEMBERED_FAILURES = 1_000;
/** How often a map may go from the thread before it is asked: others that are asked at once need its room. */
const MAX_TRIES = 3;

export interface MapToAsk extends SourceMapKey {
  readonly hash: string;
}

/** Looks functions up in stored maps, in a thread; a map that it has not is loaded once, however many wait for it. */
@Injectable()
export class MapLookups {
  /** By hash of the map. */
  readonly #loading = new Map<string, Promise<unknown>>();
  readonly #failedUntilMs = new Map<string, number>();
  /** The thread does one task at a time: the time that a task waits for others is not its own. */
  #lastTask: Promise<unknown> = Promise.resolve();

  constructor(
    readonly maps: SourceMaps,
    readonly thread: FunctionFindingThread,
    @Inject(LOGGER) readonly logger: Logger,
  ) {}

  /**
   * Throws nothing.
   *
   * @param deadline - Nobody waits beyond it; a task that runs by then goes on, so the thread has the map for the next who asks.
   * @returns `undefined`: the map cannot be asked now.
   */
  async find(map: MapToAsk, functions: readonly GeneratedFunction[], deadline: AbortSignal): Promise<FoundFunctions | undefined> {
    if (deadline.aborted) return undefined;
    const { hash, file, revision } = map;
    try {
      return await Promise.race([this.#find(map, functions, deadline), rejectedBy(deadline)]);
    } catch (error) {
      this.logger.warn({ err: error, hash, file, revision }, 'a source map was not asked in time: names stay minified');
      return undefined;
    }
  }

  async #find(
    map: MapToAsk,
    functions: readonly GeneratedFunction[],
    deadline: AbortSignal,
  ): Promise<FoundFunctions | undefined> {
    for (let tries = 0; tries < MAX_TRIES && !this.#hasFailed(map.hash); tries += 1) {
      await this.#loading.get(map.hash)?.catch(() => undefined); // whoever loads it is told
      const found = await this.#run(map, { hash: map.hash, functions }, deadline);
      if (found !== 'map-not-here') return found;
      if (!this.#loading.has(map.hash)) return this.#load(map, functions, deadline);
    }
    return undefined;
  }

  async #load(
    map: MapToAsk,
    functions: readonly GeneratedFunction[],
    deadline: AbortSignal,
  ): Promise<FoundFunctions | undefined> {
    const load = async (): Promise<FoundFunctions | undefined> => {
      const stored = await this.maps.data(map);
      if (stored === undefined) return undefined; // deleted or replaced meanwhile
      const found = await this.#run(map, { hash: map.hash, functions, stored }, deadline);
      return found === 'map-not-here' ? undefined : found;
    };
    const loading = load().finally(() => this.#loading.delete(map.hash));
    this.#loading.set(map.hash, loading);
    return loading;
  }

  /** When the tasks before it are done, unless nobody waits for it any more. */
  async #run(
    { file, revision, hash }: MapToAsk,
    task: FindFunctionsTask,
    deadline: AbortSignal,
  ): Promise<FoundFunctions | 'map-not-here' | undefined> {
    const running = this.#lastTask.then(async () => {
      if (deadline.aborted || this.#hasFailed(hash)) return undefined;
      try {
        const signal = AbortSignal.timeout(RUN_TIMEOUT_MS);
        return await this.thread.run<FindFunctionsTask, FoundFunctions | 'map-not-here'>(WORKER_FILE, task, { signal });
      } catch (error) {
        this.logger.error({ err: error, hash, file, revision }, 'a source map was not read: names stay minified');
        if (this.#failedUntilMs.size >= REMEMBERED_FAILURES) this.#failedUntilMs.clear();
        this.#failedUntilMs.set(hash, Date.now() + FAILED_REST_MS);
        return undefined;
      }
    });
    this.#lastTask = running;
    return running;
  }

  #hasFailed(hash: string): boolean {
    return (this.#failedUntilMs.get(hash) ?? 0) > Date.now();
  }
}

async function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
}
