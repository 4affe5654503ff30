import type { DurationMs } from '@hearth/profile-model';
import type { Scope } from '../transactions/transaction.js';
import type { CapturedStack } from './capture-stack.js';
import type { OperationIndex } from './operation-table.js';

/** One operation that has begun. */
export interface Wait {
  operation: OperationIndex;
  readonly scope: Scope | undefined;
  readonly startMs: number;
  /** How many operations its stack stands for; 0 without one. */
  weight: number;
  captured: CapturedStack | undefined;
  /** What its capture took. */
  captureMs: DurationMs;
  hasEnded: boolean;
}
