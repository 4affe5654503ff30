/**
 * How often a comparison is right, on simulated fleets whose true change is known, and how long it takes. Peers, on the same
 * samples: "changed by more than 5 %", and a pooled z-test of shares. `--runs=N` of each fleet, default 300.
 */
import { performance } from 'node:perf_hooks';
import { compare } from '@hearth/profile-diff';
import { findingsOf, largeComparison, simulateFleet } from '@hearth/profile-diff/testing';
import type { FleetSpec, FleetVariation } from '@hearth/profile-diff/testing';
import { peerAlarms } from './comparison/peers.js';

const RUNS = Number(process.argv.find((argument) => argument.startsWith('--runs='))?.slice('--runs='.length) ?? 300);
/** Runs without a change that tell which effect the comparison says it would find. */
const PILOT_RUNS = 15;
const VARIATIONS: readonly FleetVariation[] = ['even', 'uneven', 'heavy tails', 'hot process', 'common'];

/** Process-level figures do not depend on the number of windows: two keep a run short. */
const FLEET = {
  processes: 4,
  functions: 300,
  windows: 2,
  cv: 0.05,
  variation: 'even',
  plantedSamples: 1500,
  plantedShare: 0.05,
  planted: [1],
} as const;
/** Five changes in three hundred functions, for false discoveries among true ones. */
const FIVE_CHANGES = { planted: [1.3, 1.6, 0.6, 2, 0.75], plantedSamples: 1000, plantedShare: 0.03 } as const;

type Spec = Omit<FleetSpec, 'seed'>;
interface Row {
  readonly fleet: string;
  /** Of runs, in percent: any alarm about something that did not change. */
  readonly false_pct: number;
  /** Of runs: any function called likely that did not change. Nobody is alerted of those. */
  readonly likely_pct: number;
  /** Of planted changes, in percent: alarmed of. */
  readonly found_pct: number | undefined;
  /** Mean share of false alarms among alarms. */
  readonly fdr_pct: number;
  /** Of runs: the planted function is the first row and the first of the cover. */
  readonly leads_pct: number | undefined;
  /** Of runs: the 95 % interval of the first planted function contains its true change. */
  readonly covered_pct: number | undefined;
  readonly threshold_false_pct: number;
  readonly z_false_pct: number;
  readonly threshold_found_pct: number | undefined;
  readonly z_found_pct: number | undefined;
}

const unchanged = [
  ...[4, 8].flatMap((processes) =>
    VARIATIONS.map((variation) => measure(`A/A ${processes}, ${variation}`, { ...FLEET, processes, variation })),
  ),
  measure('A/A 4 against 9, uneven', { ...FLEET, candidateProcesses: 9, variation: 'uneven' }),
  measure('A/A 8, traffic 90/10 to 70/30', { ...FLEET, processes: 8, traffic: [0.9, 0.7] }),
  measure('A/A 8, regular', { ...FLEET, processes: 8, cv: 0.003, variation: 'regular' }),
  measure('A/A 8, regular, few samples', { ...FLEET, processes: 8, cv: 0.003, variation: 'regular', plantedSamples: 100 }),
];
const few = [
  measure('A/A 2, even', { ...FLEET, processes: 2, windows: 20 }),
  measure('A/A 2, autocorrelated', { ...FLEET, processes: 2, windows: 20, variation: 'autocorrelated' }),
];
const dearer = [0.03, 0.05, 0.08].flatMap((cv) =>
  [4, 8].map((processes) => measure(`+30 %, ${processes}, cv ${cv}`, { ...FLEET, processes, cv, planted: [1.3] })),
);
const unlike = (['uneven', 'heavy tails', 'common'] as const).map((variation) =>
  measure(`+30 %, 4, ${variation}`, { ...FLEET, variation, planted: [1.3] }),
);
const detectable = [0.03, 0.05, 0.08].flatMap((cv) =>
  [4, 8].map((processes) => {
    const factor = 1 + detectablePct({ ...FLEET, processes, cv }) / 100;
    return measure(`printed effect +${(100 * (factor - 1)).toFixed(0)} %, ${processes}, cv ${cv}`, {
      ...FLEET,
      processes,
      cv,
      planted: [factor],
    });
  }),
);
const discoveries = [4, 8].flatMap((processes) =>
  VARIATIONS.map((variation) =>
    measure(`5 changes, ${processes}, ${variation}`, { ...FLEET, ...FIVE_CHANGES, processes, variation }),
  ),
);
const rows = [...unchanged, ...few, ...dearer, ...unlike, ...detectable, ...discoveries];

const figures = {
  runs: RUNS,
  aa_false_alarm_pct: mean(unchanged, 'false_pct'),
  aa_false_alarm_worst_pct: Math.max(...unchanged.map((row) => row.false_pct)),
  aa_false_alarm_threshold_pct: mean(unchanged, 'threshold_false_pct'),
  aa_false_alarm_pooled_z_pct: mean(unchanged, 'z_false_pct'),
  aa_two_processes_likely_pct: mean(few, 'likely_pct'),
  power_pct: mean(detectable, 'found_pct'),
  power_4_processes_pct: dearer.find(({ fleet }) => fleet === '+30 %, 4, cv 0.05')!.found_pct!,
  fdr_pct: mean(discoveries, 'fdr_pct'),
  interval_coverage_pct: mean([...dearer, ...unlike], 'covered_pct'),
  planted_leads_pct: mean(
    dearer.filter(({ found_pct }) => found_pct! > 90),
    'leads_pct',
  ),
  ...secondsOf(500),
  ...secondsOf(5000),
};
if (!process.argv.includes('--json')) {
  console.table(rows);
  console.table(figures);
}
console.log(JSON.stringify(figures));

function measure(fleet: string, spec: Spec): Row {
  const changed = spec.planted.flatMap((factor, row) => (factor === 1 ? [] : [`f${row}`]));
  const sums = {
    likely: 0,
    false: 0,
    found: 0,
    discovery: 0,
    leads: 0,
    covered: 0,
    thresholdFalse: 0,
    zFalse: 0,
    thresholdFound: 0,
    zFound: 0,
  };
  for (let run = 0; run < RUNS; run += 1) {
    const seeded = { ...spec, seed: 10_000 + run };
    const input = simulateFleet(seeded);
    const result = compare(input);
    const findings = findingsOf(result, seeded);
    sums.false += findings.falseAlarms > 0 ? 1 : 0;
    sums.likely += findings.falseLikely > 0 ? 1 : 0;
    sums.found += changed.length - findings.missed;
    sums.discovery += findings.alarms > 0 ? findings.falseAlarms / findings.alarms : 0;
    sums.leads += findings.plantedLeads ? 1 : 0;
    const [low, high] = result.functions.find(
      (row) => row.function.name === 'f0' && row.metric === 'self' && row.transaction === null,
    )?.change.intervalPct ?? [0, 0];
    const truePct = 100 * (spec.planted[0]! - 1);
    sums.covered += low <= truePct && truePct <= high ? 1 : 0;
    const peers = peerAlarms(input);
    sums.thresholdFalse += [...peers.threshold].some((name) => !changed.includes(name)) ? 1 : 0;
    sums.zFalse += [...peers.pooledZ].some((name) => !changed.includes(name)) ? 1 : 0;
    sums.thresholdFound += changed.filter((name) => peers.threshold.has(name)).length;
    sums.zFound += changed.filter((name) => peers.pooledZ.has(name)).length;
  }
  const ofRuns = (count: number): number => round((100 * count) / RUNS);
  const ofChanges = (count: number): number | undefined =>
    changed.length > 0 ? round((100 * count) / RUNS / changed.length) : undefined;
  const row = {
    fleet,
    false_pct: ofRuns(sums.false),
    likely_pct: ofRuns(sums.likely),
    found_pct: ofChanges(sums.found),
    fdr_pct: ofRuns(sums.discovery),
    leads_pct: changed.length > 0 ? ofRuns(sums.leads) : undefined,
    covered_pct: changed.length > 0 ? ofRuns(sums.covered) : undefined,
    threshold_false_pct: ofRuns(sums.thresholdFalse),
    z_false_pct: ofRuns(sums.zFalse),
    threshold_found_pct: ofChanges(sums.thresholdFound),
    z_found_pct: ofChanges(sums.zFound),
  };
  if (!process.argv.includes('--json')) console.log(JSON.stringify(row));
  return row;
}

/** What the comparison says it would find in the first function: the median of runs in which nothing changed. */
function detectablePct(spec: Spec): number {
  const told = Array.from({ length: PILOT_RUNS }, (_, run) => {
    const seeded = { ...spec, seed: 900_000 + run };
    return findingsOf(compare(simulateFleet(seeded)), seeded).detectablePct.get('f0')!;
  });
  return told.sort((a, b) => a - b)[PILOT_RUNS >> 1]!;
}

/**
 * Medians of five, from decoded columns: 2 x 20 processes x 500 windows x 100 distinct samples. CPU time stands beside the time
 * on the clock because on a busy machine that says more about the neighbours.
 */
function secondsOf(functions: number): Record<string, number> {
  const input = largeComparison({
    seed: 1,
    functions,
    stacks: 4 * functions,
    transactions: 5,
    processes: 20,
    windowsPerProcess: 500,
    samplesPerWindow: 100,
  });
  const times = Array.from({ length: 5 }, () => {
    const startMs = performance.now();
    const cpu = process.cpuUsage();
    compare(input);
    const { user, system } = process.cpuUsage(cpu);
    return { clock: (performance.now() - startMs) / 1000, cpu: (user + system) / 1e6 };
  });
  const medianOf = (what: 'clock' | 'cpu'): number => round(times.map((one) => one[what]).sort((a, b) => a - b)[2]!);
  return { [`seconds_${functions}_functions`]: medianOf('clock'), [`cpu_seconds_${functions}_functions`]: medianOf('cpu') };
}

function mean<Key extends keyof Row>(of: readonly Row[], figure: Key): number {
  return round(of.reduce((sum, row) => sum + Number(row[figure] ?? 0), 0) / of.length);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
