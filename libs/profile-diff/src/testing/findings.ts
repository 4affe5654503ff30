import type { ComparisonResult, FunctionRow } from '../comparison-result.js';
import { evidenceOf, EVIDENCE } from '../evidence.js';
import { callersOfFunction } from './simulated-fleet.js';
import type { FleetSpec } from './simulated-fleet.js';

/** What a comparison of a simulated fleet found, held against what was planted. */
export interface Findings {
  /** Rows alarmed of, and those of them about something that did not change. A caller of a planted function did change. */
  readonly alarms: number;
  readonly falseAlarms: number;
  /** Rows called likely that did not change. */
  readonly falseLikely: number;
  /** Planted functions without an alarm. */
  readonly missed: number;
  /** Whether the first function row and the first of the cover are the planted function with the largest change. */
  readonly plantedLeads: boolean;
  /** Minimum detectable effects of the unchanged functions' own cost, by name, in percent. */
  readonly detectablePct: ReadonlyMap<string, number>;
}

export function findingsOf(result: ComparisonResult, spec: FleetSpec): Findings {
  const changed = new Set(spec.planted.flatMap((factor, row) => (factor === 1 ? [] : [row])));
  const touched = new Set([...changed].flatMap((row) => [`f${row}`, ...callersOfFunction(row)]));
  const isAlarm = ({ change }: Pick<FunctionRow, 'change'>): boolean => evidenceOf(change.verdict) <= EVIDENCE.appearance;
  const alarms = result.functions.filter(isAlarm);
  const falseFunctions = alarms.filter((row) => !touched.has(row.function.name)).length;
  // The strip and the transactions sum what changed: with something planted, an alarm of theirs is right.
  const falseSums = changed.size > 0 ? 0 : [...result.strip, ...result.transactions].filter(isAlarm).length;
  const found = new Set(alarms.map((row) => row.function.name));
  const lead = [...changed].sort((a, b) => Math.abs(spec.planted[b]! - 1) - Math.abs(spec.planted[a]! - 1))[0];
  return {
    alarms: alarms.length + falseSums,
    falseAlarms: falseFunctions + falseSums,
    falseLikely: result.functions.filter(
      (row) => evidenceOf(row.change.verdict) === EVIDENCE.likely && !touched.has(row.function.name),
    ).length,
    missed: [...changed].filter((row) => !found.has(`f${row}`)).length,
    plantedLeads:
      lead !== undefined && result.functions[0]?.function.name === `f${lead}` && result.cover[0]?.function.name === `f${lead}`,
    detectablePct: new Map(
      result.functions
        .filter((row) => row.metric === 'self' && row.transaction === null && row.change.minimumDetectablePct !== null)
        .map((row) => [row.function.name, row.change.minimumDetectablePct!]),
    ),
  };
}
