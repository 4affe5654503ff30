import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Piscina } from 'piscina';

const here = path.dirname(fileURLToPath(import.meta.url));
/** Threads load compiled JavaScript: from the sources (in tests) that is the build beside them. */
const distDir = path.resolve(here, '../..').replace(/[\\/]src$/, `${path.sep}dist`);

/** Rough memory bound of one thread; a task that needs more fails alone. */
const MAX_OLD_SPACE_MB = 1_024;

export interface TaskOptions {
  /** Aborting ends the thread that runs the task, or takes the task out of the line. */
  readonly signal?: AbortSignal;
  /** Moved to the thread instead of copied; unusable here afterwards. */
  readonly transferList?: readonly ArrayBuffer[];
}

/** Threads for work that would hold up the event loop: decoding, merging, comparing. */
@Injectable()
export class WorkerPool implements OnApplicationShutdown {
  readonly #pool: Piscina;

  /**
   * @param threads - Threads that run at once; each does one task at a time.
   * @param keptThreads - Of those, how many are kept while there is nothing to do.
   * @param maxHeapMb - Of each thread, roughly; a task that needs more fails alone.
   */
  constructor(threads: number, keptThreads = 1, maxHeapMb = MAX_OLD_SPACE_MB) {
    this.#pool = new Piscina({
      minThreads: keptThreads,
      maxThreads: threads,
      idleTimeout: 30_000,
      maxQueue: Infinity, // callers bound what they hand in by bytes
      execArgv: [], // not the test runner's: its conditions lead to sources, which a plain thread cannot load
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    });
  }

  /**
   * Runs the default-less worker file `file` with `task` and gives what its exported function `run` returns.
   *
   * @param file - Compiled file relative to `dist`, e.g. `features/ingest/decode.worker.js`.
   */
  async run<Task, Result>(file: string, task: Task, { signal, transferList }: TaskOptions = {}): Promise<Result> {
    return (await this.#pool.run(task, {
      filename: pathToFileURL(path.join(distDir, file)).href,
      name: 'run',
      ...(signal === undefined ? {} : { signal }),
      ...(transferList === undefined ? {} : { transferList: [...transferList] }),
    })) as Result;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#pool.destroy();
  }
}
