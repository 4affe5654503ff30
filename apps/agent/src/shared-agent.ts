import { Agent, type SharedAgent } from './agent.js';

/**
 * One agent for a process, whichever of the package's builds is loaded, and how often. The number is that of `SharedAgent`'s form: a
 * later form that an older copy cannot use takes the next one.
 */
const SHARED_AGENT = Symbol.for('@hearth/agent/1');

export function sharedAgent(): SharedAgent {
  const holder = globalThis as { [SHARED_AGENT]?: SharedAgent };
  holder[SHARED_AGENT] ??= new Agent();
  return holder[SHARED_AGENT];
}
