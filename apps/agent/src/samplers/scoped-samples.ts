import type { StackIndex } from '@hearth/profile-model';
import type { WrittenIn } from '../lost-context/written-in.js';
import type { Scope } from '../transactions/transaction.js';

/** The samples of one period with one stack and one scope. */
export interface ScopedSamples {
  readonly stackRow: StackIndex;
  /** `undefined`: in no transaction. */
  readonly scope: Scope | undefined;
  /** Where handlers are watched, and one is in the stack. */
  readonly writtenIn?: WrittenIn | undefined;
  count: number;
  /** Not rounded yet: that is done once, when packed. */
  wallMicros: number;
  /** Not rounded yet; `undefined` where the thread was idle, which is time but no CPU. */
  cpuMicros: number | undefined;
}
