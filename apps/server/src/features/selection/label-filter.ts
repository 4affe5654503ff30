import type { LabelMatcher, LabelSet } from '@hearth/profile-model';
import { TRANSACTION_LABEL, matchesLabels, parseLabelMatchers } from '@hearth/profile-model';

/** What a selection asks of labels. */
export interface LabelQuestion {
  readonly matchers: readonly LabelMatcher[];
  /** Name of a transaction; `undefined`: all samples. */
  readonly transaction: string | undefined;
}

/** @throws {ProfileError} `LABEL_MATCHER` */
export function parseLabelQuestion(match: string | undefined, transaction: string | undefined): LabelQuestion {
  return { matchers: parseLabelMatchers(match ?? ''), transaction };
}

/** The ids that a question leaves; `undefined`: it asks nothing of them, all count. */
export interface LabelFilter {
  readonly labelSetIds: number[] | undefined;
  readonly processIds: number[] | undefined;
}

/**
 * The label sets and processes that a question leaves.
 *
 * A label is the process's own (pod, region) or the sample's (plan, transaction). A name that samples carry is asked of
 * the samples; one that only processes carry is asked of the processes; one that nobody carries is '' everywhere.
 */
export function filterByLabels(
  question: LabelQuestion,
  labelSets: ReadonlyMap<number, LabelSet>,
  processes: readonly { readonly id: number; readonly labels: LabelSet }[],
): LabelFilter {
  const ofProcesses = new Set(processes.flatMap((process) => process.labels.map(([name]) => name)));
  for (const labels of labelSets.values()) for (const [name] of labels) ofProcesses.delete(name);
  const processMatchers = question.matchers.filter((matcher) => ofProcesses.has(matcher.name));
  const sampleMatchers = question.matchers.filter((matcher) => !ofProcesses.has(matcher.name));

  const isAsked = sampleMatchers.length > 0 || question.transaction !== undefined;
  const transactionMatcher: LabelMatcher[] =
    question.transaction === undefined ? [] : [{ name: TRANSACTION_LABEL, operator: '=', value: question.transaction }];
  const wanted = [...transactionMatcher, ...sampleMatchers];
  return {
    labelSetIds: isAsked ? [...labelSets].filter(([, labels]) => matchesLabels(labels, wanted)).map(([id]) => id) : undefined,
    processIds:
      processMatchers.length > 0
        ? processes.filter((process) => matchesLabels(process.labels, processMatchers)).map(({ id }) => id)
        : undefined,
  };
}
