import type { ComparisonOptions } from './comparison-input.js';
import type { Rates, WorkScope } from './rates.js';
import { WHOLE } from './rates.js';
import { NO_TRANSACTION } from './comparison-result.js';
import type { WorkKind, WorkPlan } from './work-plan.js';

/** The smallest changes that matter, as rates. Both sides' average is what they are a share of, so that exchanging the sides changes nothing. */
export interface PracticalFloor {
  /** Value of the service per unit of the whole, average of both sides. */
  readonly serviceValue: number;
  /** In the unit of the comparison per unit of work of the scope. */
  of(scope: WorkScope): number;
}

export function practicalFloor(unit: string, plan: WorkPlan, rates: Rates, options: ComparisonOptions): PracticalFloor {
  const perUnit = (scope: number, kind: WorkKind): number =>
    (rates.baseline.kindValue[scope]! / (kind.baseline.total || 1) +
      rates.candidate.kindValue[scope]! / (kind.candidate.total || 1)) /
    2;
  const serviceValue = plan.kinds.reduce((sum, kind, scope) => sum + kind.weight * perUnit(scope, kind), 0);
  const ofService = options.floorServiceShare * serviceValue;
  return {
    serviceValue,
    of: (scope) => {
      if (scope === WHOLE) return ofService;
      const kind = plan.kinds[scope]!;
      const asPartOfService = ofService / kind.weight;
      // Time that somebody waits matters by itself; bytes, or time in no transaction, only as a part of the service.
      if (unit !== 'microseconds' || kind.transaction === NO_TRANSACTION) return asPartOfService;
      const asPartOfTransaction = Math.max(options.floorTransactionShare * perUnit(scope, kind), options.floorTransactionMicros);
      return Math.min(asPartOfService, asPartOfTransaction);
    },
  };
}
