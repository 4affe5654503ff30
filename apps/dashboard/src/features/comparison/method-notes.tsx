import type { ComparisonResult } from '@hearth/profile-diff';
import { formatCount, formatQuantity, formatShare } from '../../format/quantity.js';
import { visibleText } from '../../format/visible-text.js';
import styles from './comparison.module.css';

/** How the figures came about, for whoever doubts them. */
export function MethodNotes({ result }: { result: ComparisonResult }) {
  const { baseline, candidate, variance, belowExposure, runtimeRows, tree, functionRowsLeftOut = 0 } = result;
  const side = ({ processes, samples, transactions, processSeconds }: ComparisonResult['baseline']) =>
    [
      `${formatCount(processes)} processes`,
      // What is alive is seen again in each period: a number of samples would say nothing.
      ...(result.kind === 'level' ? [] : [`${formatCount(samples)} samples`]),
      `${formatCount(transactions)} transactions`,
      `${formatQuantity(processSeconds * 1e6, 'microseconds')} of process time`,
    ].join(', ');
  const facts: (readonly [string, string])[] = [
    ['Baseline (A)', side(baseline)],
    ['Candidate (B)', side(candidate)],
    [
      'Variation',
      `${formatShare(variance.betweenProcessCv)} between ${variance.replicates === 'processes' ? 'processes' : 'windows (fewer than three processes a side: no verdict beyond “likely”)'}; ${variance.df.toFixed(1)} degrees of freedom from the data, ${variance.priorDf === null ? 'infinitely many' : variance.priorDf.toFixed(1)} from all functions together`,
    ],
    [
      'Not tested',
      `${formatCount(belowExposure.functions)} functions with too few samples, ${formatShare(belowExposure.share)} of the value`,
    ],
    ...(variance.alarmLevel === undefined
      ? []
      : [
          [
            'Alarm',
            `q at or below ${variance.alarmLevel}, after Benjamini-Hochberg within ${(variance.families ?? []).join(', ') || 'its family'}`,
          ] as const,
        ]),
    ...(functionRowsLeftOut > 0
      ? [['Not listed', `${formatCount(functionRowsLeftOut)} rows without any sign of change`] as const]
      : []),
    ...(tree.truncatedNodes > 0
      ? [
          [
            'Folded away',
            `${formatCount(tree.truncatedNodes)} small frames of the graph (${formatQuantity(tree.truncatedValue, result.unit)})`,
          ] as const,
        ]
      : []),
    ...runtimeRows.map(
      (row) =>
        [
          visibleText(row.name),
          `${formatQuantity(row.baseline, result.unit)} → ${formatQuantity(row.candidate, result.unit)}; the runtime's own, without a verdict`,
        ] as const,
    ),
    ['Computed by', result.algorithm],
  ];
  return (
    <details className={styles['method']}>
      <summary>How this was computed</summary>
      <dl>
        {facts.map(([title, text]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
