import type { Batch } from '@hearth/wire-format';
import type { AgentSettings } from '../options/options.js';
import type { AgentMessageCode } from '../safety/agent-log.js';
import type { LabelRuleSettings } from '../transactions/label-rules.js';

/** Where the main thread leaves what its workers need: every worker that is made afterwards has a copy, and so have theirs. */
export const THREAD_PLACE = '@hearth/agent/threads/1';
/** The label on what a worker thread measured. */
export const THREAD_LABEL = 'thread';

/** What a worker thread does as the main thread does. */
export interface ThreadPlace {
  /** Of the `BroadcastChannel` between the threads; another one at each start of the agent. */
  readonly channel: string;
  /** How contexts reach its sampler, which it need not find out again; `undefined`: it must. */
  readonly wiring: 'frames' | 'reference' | undefined;
  readonly options: Pick<AgentSettings, 'rateHz' | 'periodMs' | 'waits' | 'http' | 'budgetCpuPct' | 'budgetPauseMs'>;
  /** What may be sent of labels, and the key that their hashes are made with; `undefined`: all. */
  readonly labelRules: (LabelRuleSettings & { readonly key: string }) | undefined;
}

/** From a worker thread. */
export type FromThread =
  | { readonly kind: 'hello'; readonly thread: number }
  /** What it measured since the last time; `isLast`: it ends. */
  | {
      readonly kind: 'period';
      readonly thread: number;
      readonly name: string;
      readonly isLast: boolean;
      readonly batch: ThreadBatch;
    }
  | {
      readonly kind: 'says';
      readonly thread: number;
      readonly level: 'info' | 'warn';
      readonly code: AgentMessageCode;
      readonly message: string;
    };

/** To all worker threads: end a period; end for good. */
export type ToThreads = { readonly kind: 'collect' } | { readonly kind: 'stop' };

/** What of a batch is the thread's own. */
export type ThreadBatch = Pick<
  Batch,
  'functions' | 'stacks' | 'labelSets' | 'profiles' | 'transactions' | 'series' | 'report' | 'exemplars'
>;
