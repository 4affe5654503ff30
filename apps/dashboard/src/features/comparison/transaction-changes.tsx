import type { ComparisonResult, MixSplit, TransactionRow } from '@hearth/profile-diff';
import { formatChangePct, formatCount, formatDelta, formatIn, scaleFor } from '../../format/quantity.js';
import { visibleText } from '../../format/visible-text.js';
import { axisFactorOf, IntervalBar } from '../../ui/interval-bar.js';
import tables from '../../ui/table.module.css';
import { VERDICTS } from './verdicts.js';
import { VerdictMark } from './verdict-mark.js';
import styles from './comparison.module.css';

interface TransactionChangesProps {
  readonly result: ComparisonResult;
  readonly selected: string;
  readonly onSelect: (transaction: string) => void;
}

const PART_PX = 64;

/** Per transaction: what it costs on both sides, and how much of the service's change came from traffic and how much from code. */
export function TransactionChanges({ result, selected, onSelect }: TransactionChangesProps) {
  const { transactions, unit, mix } = result;
  if (transactions.length === 0) return null;
  const cost = scaleFor(unit, Math.max(...transactions.map(({ change }) => Math.max(change.baseline, change.candidate))));
  const duration = scaleFor(
    'microseconds',
    Math.max(...transactions.map((row) => Math.max(row.baselineDurationMicros ?? 0, row.candidateDurationMicros ?? 0))),
  );
  const parts = Math.max(...transactions.map((row) => Math.max(Math.abs(row.mixPart), Math.abs(row.codePart))), 1e-9);
  const axisFactor = axisFactorOf(transactions.map(({ change }) => change));
  return (
    <section className={styles['transactions']} aria-label="Transactions">
      <div className={styles['sectionHead']}>
        <h2>Transactions</h2>
        {mix && <MixLine mix={mix} unit={unit} />}
      </div>
      <table className={tables['table']}>
        <thead>
          <tr>
            <th>Transaction</th>
            <th className={tables['figure']}>Count A</th>
            <th className={tables['figure']}>Count B</th>
            <th className={tables['figure']}>A each{comma(cost.unit)}</th>
            <th className={tables['figure']}>B each{comma(cost.unit)}</th>
            <th className={tables['figure']}>%</th>
            <th>95 % interval</th>
            <th>Verdict</th>
            <th className={tables['figure']}>Duration A{comma(duration.unit)}</th>
            <th className={tables['figure']}>Duration B{comma(duration.unit)}</th>
            <th>From traffic</th>
            <th>From code</th>
          </tr>
        </thead>
        <tbody>
          {transactions.map((row) => (
            <tr key={row.transaction} data-chosen={row.transaction === selected}>
              <td className={tables['wide']}>
                <button
                  type="button"
                  className={tables['link']}
                  aria-pressed={row.transaction === selected}
                  onClick={() => onSelect(row.transaction === selected ? '' : row.transaction)}
                >
                  {visibleText(row.transaction)}
                </button>
                {row.status !== 'both' && (
                  <span className={tables['dim']}> {row.status === 'new' ? 'only in B' : 'only in A'}</span>
                )}
              </td>
              <td className={tables['figure']}>{formatCount(row.baselineCount)}</td>
              <td className={tables['figure']}>{formatCount(row.candidateCount)}</td>
              <td className={tables['figure']}>{formatIn(cost, row.status === 'new' ? null : row.change.baseline)}</td>
              <td className={tables['figure']}>{formatIn(cost, row.status === 'gone' ? null : row.change.candidate)}</td>
              <td className={tables['figure']}>
                {row.change.deltaPct === null ? '' : formatChangePct(row.change.deltaPct).replace(/\s*%$/, '')}
              </td>
              <td>
                <IntervalBar
                  pct={row.change.deltaPct}
                  interval={row.change.intervalPct}
                  axisFactor={axisFactor}
                  isSure={VERDICTS[row.change.verdict].isAlarm}
                />
              </td>
              <td>
                <VerdictMark verdict={row.change.verdict} />
              </td>
              <td className={tables['figure']}>{formatIn(duration, row.baselineDurationMicros)}</td>
              <td className={tables['figure']}>{formatIn(duration, row.candidateDurationMicros)}</td>
              <td>
                <Part value={row.mixPart} largest={parts} row={row} unit={unit} />
              </td>
              <td>
                <Part value={row.codePart} largest={parts} row={row} unit={unit} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** A signed part of the change, to the left or right of nothing. */
function Part({ value, largest, row, unit }: { value: number; largest: number; row: TransactionRow; unit: string }) {
  const width = (Math.abs(value) / largest) * (PART_PX / 2);
  const text = formatDelta(value, unit);
  return (
    <span className={styles['part']} title={`${visibleText(row.transaction)}: ${text}`}>
      <svg width={PART_PX} height={12} aria-hidden="true">
        <line x1={PART_PX / 2} x2={PART_PX / 2} y1={0} y2={12} className={styles['partZero']} />
        <rect
          x={value < 0 ? PART_PX / 2 - width : PART_PX / 2}
          width={width}
          y={2}
          height={8}
          className={styles[value < 0 ? 'partLess' : 'partMore']}
        />
      </svg>
      <span>{text}</span>
    </span>
  );
}

/** The exact split of the service's change; its parts sum to its total. */
function MixLine({ mix, unit }: { mix: MixSplit; unit: string }) {
  const parts = [
    ['more or less traffic', mix.volume],
    ['another mix of it', mix.mix],
    ['code', mix.code],
    ['background', mix.background],
    ['new transactions', mix.newTransactions],
    ['gone transactions', mix.goneTransactions],
  ] as const;
  return (
    <span className={styles['dim']}>
      {formatDelta(mix.total, unit)} a second in all:{' '}
      {parts
        .filter(([, value]) => Math.abs(value) > Math.abs(mix.total) * 0.001)
        .map(([title, value]) => `${title} ${formatDelta(value, unit)}`)
        .join(', ')}
    </span>
  );
}

function comma(unit: string): string {
  return unit === '' ? '' : `, ${unit}`;
}
