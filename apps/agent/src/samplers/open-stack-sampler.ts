import { describeError } from '../safety/guard.js';
import type { AgentLog } from '../safety/agent-log.js';
import { NativeSampler } from './native-sampler.js';
import { PublicSampler } from './public-sampler.js';
import type { StackSampler } from './stack-sampler.js';

/**
 * The best sampler that works here, not started yet. `undefined` where none does: then transactions and the process are still counted.
 *
 * @param known - Of a worker thread: what works in its process.
 */
export function openStackSampler(rateHz: number, log: AgentLog, known?: 'frames' | 'reference'): StackSampler | undefined {
  try {
    return new NativeSampler(rateHz, known);
  } catch (error) {
    return openPublicSampler(rateHz, log, error);
  }
}

function openPublicSampler(rateHz: number, log: AgentLog, reason: unknown): StackSampler | undefined {
  try {
    const sampler = new PublicSampler(rateHz);
    log.warn('AGENT_SAMPLER_FALLBACK', `the native sampler is used through its slower public calls: ${describeError(reason)}`);
    return sampler;
  } catch {
    log.warn(
      'AGENT_NO_SAMPLER',
      `no stacks are sampled, transactions and process metrics are still sent: ${describeError(reason)}`,
    );
    return undefined;
  }
}
