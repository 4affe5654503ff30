import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { SharedAgent } from '../agent.js';
import { batchesToPprof, type PulledProfile } from './batch-to-pprof.js';
import type { ExpressMiddleware, FastifyPlugin } from './pull-types.js';

const HEAP_PATH = '/debug/pprof/heap';
const WALL_PATH = '/debug/pprof/profile';
/** Longer, and a scraper would hold its profile in the memory of the process that it profiles. */
const MAX_SECONDS = 60;
const gzipOnThreadPool = promisify(gzip);

type Answer =
  { readonly status: 200; readonly body: Uint8Array } | { readonly status: 500 | 503; readonly body: { readonly error: string } };

/** Answers scrapers: a profile of the next seconds, or of the heap, as gzipped pprof. One at a time: each ends the agent's period before its time. */
export class PullAnswers {
  readonly #agent: SharedAgent;
  readonly #start: () => void;
  #isTaking = false;

  /** @param start - Makes the agent run, with the heap sampled. */
  constructor(agent: SharedAgent, start: () => void) {
    this.#agent = agent;
    this.#start = start;
  }

  readonly expressMiddleware = (): ExpressMiddleware => (request, response, next) => {
    const kind = request.method === 'GET' ? kindOfPath(request.path) : undefined;
    if (kind === undefined) return next();
    void this.#take(kind, request.query?.['seconds'])
      .then(({ status, body }) => {
        if (response.headersSent) return; // as by a middleware that ends what takes long
        response.status(status).send(status === 200 ? Buffer.from(body) : body);
      })
      .then(undefined, next);
  };

  readonly fastifyMiddleware = (): FastifyPlugin => (fastify, _options, done) => {
    for (const path of [HEAP_PATH, WALL_PATH]) {
      fastify.get(path, async (request, reply) => {
        const { seconds } = Object(request.query) as { seconds?: unknown };
        const { status, body } = await this.#take(kindOfPath(path)!, seconds);
        if (reply.sent) return;
        if (status === 200) reply.status(200).type('application/octet-stream').send(Buffer.from(body));
        else reply.status(status).send(body);
      });
    }
    done();
  };

  async #take(kind: PulledProfile, seconds: unknown): Promise<Answer> {
    if (this.#isTaking) return { status: 503, body: { error: 'another profile is being taken' } };
    this.#isTaking = true;
    try {
      this.#start();
      const batches = await this.#agent.collect(kind === 'heap' ? 0 : secondsToTake(seconds) * 1000);
      if (batches.length === 0) return { status: 503, body: { error: 'the agent does not run; its log says why' } };
      return { status: 200, body: await gzipOnThreadPool(batchesToPprof(batches, kind)) };
    } catch {
      return { status: 500, body: { error: 'the profile could not be taken' } };
    } finally {
      this.#isTaking = false;
    }
  }
}

function kindOfPath(path: string): PulledProfile | undefined {
  if (path === HEAP_PATH) return 'heap';
  return path === WALL_PATH ? 'wall' : undefined;
}

/** One where it is not said. */
function secondsToTake(seconds: unknown): number {
  const value = Number(seconds);
  return value > 0 ? Math.min(value, MAX_SECONDS) : 1;
}
