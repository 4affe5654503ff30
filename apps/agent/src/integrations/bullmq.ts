import { lookLike } from '../safety/look-like.js';
import { sharedAgent } from '../shared-agent.js';

/** What of a BullMQ job is used. */
export interface BullmqJob {
  readonly queueName: string;
  readonly name: string;
}

/** BullMQ's errors by which a processor puts its job back: it comes again, and has not failed. */
const POSTPONED = new Set(['DelayedError', 'RateLimitError', 'WaitingChildrenError', 'WaitingError']);

/** The name of a job's transaction, `queue jobname`. Also for `@Transaction({ name: jobName })` on the `process` of a NestJS `WorkerHost`. */
export function jobName(job: BullmqJob): string {
  return `${job.queueName} ${job.name}`;
}

/**
 * A processor that does as `processor` does, each job being a transaction named `queue jobname`. A job that fails has the outcome `error`; one that is put
 * back (delayed, limited, waiting for its children) `ok`. A processor that is the path of a file is given back as it is: it runs in another process.
 */
export function wrapProcessor<Processor>(processor: Processor): Processor {
  if (!isFunction(processor)) return processor;
  const agent = sharedAgent();
  const ours = async function (this: unknown, ...args: never[]): Promise<unknown> {
    let postponed: { readonly error: unknown } | undefined;
    const run = async (): Promise<unknown> => {
      try {
        return await processor.apply(this, args);
      } catch (error) {
        if (!(error instanceof Error) || !POSTPONED.has(error.name)) throw error;
        postponed = { error };
        return undefined;
      }
    };
    const result: unknown = await agent.transaction(nameOfJob(args[0]), undefined, run, processor);
    if (postponed !== undefined) throw postponed.error;
    return result;
  };
  return lookLike(ours, processor);
}

function nameOfJob(job: unknown): string {
  const { queueName, name } = Object(job) as Partial<BullmqJob>;
  return jobName({ queueName: String(queueName ?? 'queue'), name: String(name ?? '') }).trim();
}

function isFunction<Value>(value: Value): value is Value & ((...args: never[]) => unknown) {
  return typeof value === 'function';
}
