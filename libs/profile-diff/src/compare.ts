import { NO_PARENT } from '@hearth/profile-model';
import { callNodes } from './call-nodes.js';
import type { CallNodes } from './call-nodes.js';
import { canonicalSide } from './compared-side.js';
import type { CanonicalSide } from './compared-side.js';
import type { ComparisonInput, ComparisonSide } from './comparison-input.js';
import { DEFAULT_COMPARISON_OPTIONS } from './comparison-options.js';
import { COMPARISON_ALGORITHM, COMPARISON_RESULT_VERSION } from './comparison-result.js';
import type { ComparisonResult, ComparisonSideSummary, VarianceReport } from './comparison-result.js';
import { coverChange } from './cover.js';
import { ChangedPlaces } from './cover-rows.js';
import { strongestEvidence } from './evidence.js';
import { functionRows } from './function-rows.js';
import type { JudgedPair } from './function-rows.js';
import { testFamilies } from './hypotheses.js';
import type { TestedFamily } from './hypotheses.js';
import { practicalFloor } from './practical-floor.js';
import { functionRates, ROOT, WHOLE } from './rates.js';
import type { RatePair, Rates } from './rates.js';
import type { SideCosts } from './side-rate.js';
import { planReplicates } from './replicates.js';
import type { ReplicatePlan, Replicates } from './replicates.js';
import { latencyEntry, latencyRates, throughputEntry, untestedRate, valueEntry } from './strip.js';
import { compositionFactor } from './tmm.js';
import { transactionRows, transactionTotals } from './transaction-rows.js';
import type { TransactionTotals } from './transaction-rows.js';
import { unionTree } from './union-tree.js';
import { judgedChange, unjudgedChange } from './verdicts.js';
import type { VerdictRules } from './verdicts.js';
import { comparisonWarnings } from './warnings.js';
import { windowsWithSamples } from './window-presence.js';
import { planWork } from './work-plan.js';

/** How much processes of one release are taken to differ where too few were seen to tell. */
const ASSUMED_PROCESS_CV = 0.05;
const ENOUGH_WINDOWS = 3;

/**
 * What changed from the baseline to the candidate, by how much, and how sure that is.
 *
 * Costs are compared per unit of work (`ComparisonResult.basis`), so neither more traffic nor another mix of it is a
 * change. Levels (memory in use) are shown per process without verdicts. Pure and deterministic: equal inputs give equal
 * bytes, whatever the order of processes and samples; exchanging the sides changes the signs of the deltas.
 *
 * Cost: linear in samples; some 2 x 10,000 process-windows of 5,000 functions take a second.
 */
export function compare(input: ComparisonInput): ComparisonResult {
  const options = { ...DEFAULT_COMPARISON_OPTIONS, ...input.options };
  const nodes = callNodes(input);
  const baseline = canonicalSide(input.baseline);
  const candidate = canonicalSide(input.candidate);
  const sides = { baseline, candidate };
  const replicates = planReplicates(baseline, candidate, nodes, input.kind);
  const scaling = () => valuesToScale(sides, nodes, replicates);
  const plan = planWork({ kind: input.kind, transactions: input.transactions, ...sides, replicates, scaling });
  const minSamples = input.kind === 'level' ? 0 : options.minSamples;
  const rates = functionRates({ nodes, plan, replicates, ...sides, minSamples });
  const floor = practicalFloor(input.unit, plan, rates, options);
  const latency =
    input.kind === 'flow' ? latencyRates({ plan, transactions: input.transactions, replicates, ...sides }) : undefined;

  const assumedCv = replicates.kind === 'windows' ? ASSUMED_PROCESS_CV : 0;
  const processes = { baseline: Math.max(1, baseline.processes.length), candidate: Math.max(1, candidate.processes.length) };
  const families =
    input.kind === 'level'
      ? []
      : testFamilies(rates.pairs, assumedCv, processes).filter(({ hypotheses }) => hypotheses.length > 0);
  const familyNames = [...families.map(({ name }) => name as string), ...(latency === undefined ? [] : ['latency'])];
  const rules: VerdictRules = {
    alarmLevel: options.alarmQ / Math.max(1, familyNames.length),
    possibleQ: options.possibleQ,
    strongest: replicates.kind === 'processes' ? 'alarm' : 'likely at most',
    minutes: Math.max(...[input.baseline, input.candidate].map(({ fromMs, untilMs }) => (untilMs - fromMs) / 60_000)),
  };
  const windowsPresent = (pair: RatePair) => () =>
    windowsWithSamples(pair, pair.baseline.rate > 0 ? baseline : candidate, nodes, plan, ENOUGH_WINDOWS);
  const judged: JudgedPair[] =
    input.kind === 'level'
      ? rates.pairs.map((pair) => ({ pair, change: unjudgedChange(pair) }))
      : families.flatMap(({ hypotheses, tested }) =>
          hypotheses.map((hypothesis) => {
            const { pair } = hypothesis;
            return {
              pair,
              change: judgedChange(hypothesis, rules, {
                floor: floor.of(pair.scope),
                tested,
                windowsPresent: windowsPresent(pair),
              }),
            };
          }),
        );

  const evidence = strongestEvidence(
    nodes.functions.length,
    judged.map(({ pair, change }) => ({ functionId: pair.functionId, metric: pair.metric, verdict: change.verdict })),
  );
  const places = new ChangedPlaces({ nodes, plan, judged, ...sides });
  const nodeCosts = { baseline: rates.baseline.nodeSelf, candidate: rates.candidate.nodeSelf };
  const cover = coverChange(nodes, nodeCosts, evidence, (changed) => places.evidenceWhereMost(changed));
  const { tree, rowOfNode } = unionTree({
    nodes,
    baseline: rates.baseline,
    candidate: rates.candidate,
    confidence: confidenceOf(nodes, judged),
    keep: cover.nodes.map(({ node }) => node),
    maxNodes: options.maxTreeNodes,
  });

  const isWork = (stack: number): boolean =>
    stack === NO_PARENT || nodes.roles[nodes.functionId[nodes.nodeOfStack[stack]!]!] !== 'idle';
  const totals = {
    baseline: transactionTotals(baseline, input.transactions.length, isWork),
    candidate: transactionTotals(candidate, input.transactions.length, isWork),
  };
  const hasTransactions = plan.basis === 'per-transaction' || plan.basis === 'per-process-second';
  const perTransaction = hasTransactions
    ? transactionRows({ transactions: input.transactions, plan, judged, ...totals })
    : { rows: [], mix: null };
  const serviceValue = { baseline: tree.baselineTotal[0]!, candidate: tree.candidateTotal[0]! };
  const { rows, leftOut } = functionRows({ nodes, plan, judged, cover, serviceValue });
  const rootPair = {
    baseline: untestedRate(serviceValue.baseline, sampleCount(baseline)),
    candidate: untestedRate(serviceValue.candidate, sampleCount(candidate)),
  };
  const judgedRoot = judged.find(({ pair }) => pair.functionId === ROOT && pair.scope === WHOLE)?.change;
  const throughput = hasTransactions ? throughputEntry(totals.baseline, totals.candidate) : undefined;
  return {
    version: COMPARISON_RESULT_VERSION,
    algorithm: COMPARISON_ALGORITHM,
    unit: input.unit,
    kind: input.kind,
    basis: plan.basis,
    baseline: summary(input.baseline, baseline, totals.baseline),
    candidate: summary(input.candidate, candidate, totals.candidate),
    strip: [
      valueEntry(input.unit, plan.basis, { judged: judgedRoot, pair: rootPair }),
      ...(latency === undefined
        ? []
        : [
            latencyEntry(
              latency,
              rules,
              options.floorTransactionShare,
              assumedCv ** 2 * (1 / processes.baseline + 1 / processes.candidate),
            ),
          ]),
      ...(throughput === undefined ? [] : [throughput]),
    ],
    variance: { ...varianceReport(families, assumedCv, replicates.kind), alarmLevel: rules.alarmLevel, families: familyNames },
    mix: perTransaction.mix,
    cover: places.coverRows(cover, rowOfNode),
    functions: rows,
    transactions: perTransaction.rows,
    functionRowsLeftOut: leftOut,
    belowExposure: belowExposure(nodes, rates, serviceValue),
    runtimeRows: runtimeRows(nodes, rates),
    tree,
    warnings: comparisonWarnings({
      kind: input.kind,
      basis: plan.basis,
      transactions: input.transactions,
      countedSinceMs: input.countedSinceMs,
      minifiedFiles: input.minifiedFiles ?? [],
      ...sides,
      totals,
      mix: perTransaction.mix,
    }),
  };
}

/** For a comparison without transactions: what each replicate did in all, and how the composition of it changed. */
function valuesToScale(sides: Record<'baseline' | 'candidate', CanonicalSide>, nodes: CallNodes, replicates: ReplicatePlan) {
  const before = valuesOf(sides.baseline, nodes, replicates.baseline);
  const after = valuesOf(sides.candidate, nodes, replicates.candidate);
  return {
    baseline: before.byReplicate,
    candidate: after.byReplicate,
    compositionFactor: compositionFactor({ baseline: before.samplesByFunction, candidate: after.samplesByFunction }),
  };
}

/** Work of functions only: what the runtime does by itself is no measure of it. */
function valuesOf(
  { samples }: CanonicalSide,
  nodes: CallNodes,
  replicates: Replicates,
): { byReplicate: Float64Array; samplesByFunction: Float64Array } {
  const byReplicate = new Float64Array(replicates.length);
  const samplesByFunction = new Float64Array(nodes.functions.length);
  samples.stack.forEach((stack, at) => {
    const id = stack === NO_PARENT ? -1 : nodes.functionId[nodes.nodeOfStack[stack]!]!;
    if (id === -1 || nodes.roles[id] !== 'code') return;
    byReplicate[replicates.replicateOf(samples.process[at]!, samples.windowStartMs[at]!)]! += samples.value[at]!;
    samplesByFunction[id]! += samples.count[at]!;
  });
  return { byReplicate, samplesByFunction };
}

function confidenceOf(nodes: CallNodes, judged: readonly JudgedPair[]): { byFunction: Float64Array; root: number } {
  const byFunction = new Float64Array(nodes.functions.length);
  let root = 0;
  for (const { pair, change } of judged) {
    if (pair.scope !== WHOLE || pair.metric !== 'inclusive' || change.p === null) continue;
    if (pair.functionId === ROOT) root = 1 - change.p;
    else byFunction[pair.functionId] = 1 - change.p;
  }
  return { byFunction, root };
}

function sampleCount({ samples }: CanonicalSide): number {
  return samples.count.reduce((sum, count) => sum + count, 0);
}

function summary(asked: ComparisonSide, side: CanonicalSide, totals: TransactionTotals): ComparisonSideSummary {
  return {
    fromMs: asked.fromMs,
    untilMs: asked.untilMs,
    processes: side.processes.length,
    samples: sampleCount(side),
    transactions: totals.count.reduce((sum, count) => sum + count, 0),
    processSeconds: totals.seconds,
    value: side.samples.value.reduce((sum, value) => sum + value, 0),
  };
}

function varianceReport(
  families: readonly TestedFamily[],
  assumedCv: number,
  replicates: VarianceReport['replicates'],
): VarianceReport {
  // Of a function's own cost, which most rows are about; the other families have models of their own.
  const model = (families.find(({ name }) => name === 'self') ?? families[0])?.model;
  const tested = families.flatMap(({ hypotheses }) =>
    hypotheses.filter(({ test }) => test !== undefined).map(({ pair }) => pair),
  );
  return {
    df: model?.df ?? 0,
    priorDf: model === undefined ? 0 : model.priorDf === Infinity ? null : model.priorDf,
    betweenProcessCv: assumedCv > 0 ? assumedCv : Math.sqrt((model?.betweenVariance ?? 0) * (model?.priorScale ?? 1)),
    replicates,
    functionsTested: new Set(tested.filter(({ functionId }) => functionId !== ROOT).map(({ functionId }) => functionId)).size,
    transactionsTested: tested.filter(({ functionId, scope }) => functionId === ROOT && scope !== WHOLE).length,
  };
}

function belowExposure(
  nodes: CallNodes,
  rates: Rates,
  serviceValue: { baseline: number; candidate: number },
): ComparisonResult['belowExposure'] {
  let functions = 0;
  let value = 0;
  nodes.roles.forEach((role, id) => {
    if (role !== 'code' || rates.exposed[id] === 1) return;
    functions += 1;
    value += rates.baseline.functionSelf[id]! + rates.candidate.functionSelf[id]!;
  });
  const all = serviceValue.baseline + serviceValue.candidate;
  return { functions, share: all > 0 ? value / all : 0 };
}

function runtimeRows(nodes: CallNodes, { baseline, candidate }: Rates): ComparisonResult['runtimeRows'] {
  const names = [...new Set(nodes.functions.filter((_, id) => nodes.roles[id] !== 'code').map(({ name }) => name))].sort();
  const valueOf = (costs: SideCosts, name: string): number => {
    if (name === '(idle)') return costs.idle;
    return nodes.functions.reduce(
      (sum, key, id) => (key.name === name && nodes.roles[id] === 'runtime' ? sum + costs.functionSelf[id]! : sum),
      0,
    );
  };
  return names.map((name) => ({ name, baseline: valueOf(baseline, name), candidate: valueOf(candidate, name) }));
}
