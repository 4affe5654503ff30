import type { Change, ComparisonResult, StripEntry } from '@hearth/profile-diff';
import { formatChangePct, formatCount, formatIntervalPct, formatQuantity } from '../../format/quantity.js';
import { visibleText } from '../../format/visible-text.js';
import { axisFactorOf, IntervalBar } from '../../ui/interval-bar.js';
import { countVerdicts, functionChanges, sureOfCover, VERDICTS, type ToldChange } from './verdicts.js';
import { VerdictMark } from './verdict-mark.js';
import styles from './comparison.module.css';

const BASIS: Record<ComparisonResult['basis'], string> = {
  'per-transaction': 'per transaction',
  'per-process-second': 'per process-second',
  'per-process': 'per process',
  tmm: 'scaled by what both sides share',
};
const UNITS: Record<string, string> = { microseconds: 'CPU or time', bytes: 'Memory', count: 'Count' };

/** The answer in one line, then its figures with what is known about their certainty. */
export function VerdictStrip({ result, profileName }: { result: ComparisonResult; profileName: string }) {
  const changes = functionChanges(result.functions, 'self', 'possible', '');
  const told = countVerdicts(changes);
  const axisFactor = axisFactorOf(result.strip.map(({ change }) => change));
  return (
    <section className={styles['strip']} aria-label="Verdict">
      <div className={styles['headline']}>
        <h1>{changes.length === 0 ? headlineOfRest(result) : headlineOf(changes[0]!.rows[0]!)}</h1>
        {told !== '' && (
          <p>
            {told[0]!.toUpperCase()}
            {told.slice(1)}.
          </p>
        )}
        <p className={styles['dim']}>
          {result.kind === 'level'
            ? 'Both sides are shown; levels are compared without a verdict.'
            : `${formatCount(result.variance.functionsTested)} functions and ${formatCount(result.variance.transactionsTested)} transactions tested, ${BASIS[result.basis]}.`}
        </p>
      </div>
      {result.strip.map((entry) => (
        <StripCell
          key={entry.metric}
          entry={entry}
          title={titleOf(entry, profileName, BASIS[result.basis])}
          axisFactor={axisFactor}
        />
      ))}
    </section>
  );
}

/** A change as a sentence. @param besides - What else of the function it is about */
function headlineOf({ function: key, transaction, change }: ToldChange, besides = ''): string {
  const what = visibleText(key.name) + besides;
  const where = transaction === null ? '' : ` in ${visibleText(transaction)}`;
  const { title, isAlarm } = VERDICTS[change.verdict];
  if (change.deltaPct === null || change.verdict === 'GONE') return `${what} is ${title.toLowerCase()}${where}`;
  return `${what} ${isAlarm ? 'costs' : 'may cost'} ${formatChangePct(change.deltaPct)}${where}`;
}

/** Where no function changed by itself. */
function headlineOfRest({ functions, kind, cover }: ComparisonResult): string {
  if (kind === 'level') return 'Levels side by side';
  const whole = sureOfCover(cover);
  if (whole !== undefined) return headlineOf(whole, ', with what it calls,');
  if (functions.length > 0 && functions.every(({ change }) => change.verdict === 'NOT_ENOUGH_DATA'))
    return 'Not enough data for a verdict';
  return 'No function changed that we could be sure of';
}

function titleOf({ metric, unit }: StripEntry, profileName: string, basis: string): string {
  if (metric === 'latency') return 'Mean duration';
  if (metric === 'throughput') return 'Transactions per second';
  return `${profileName || UNITS[unit] || unit} ${basis}`;
}

function StripCell({
  entry: { change, unit, metric },
  title,
  axisFactor,
}: {
  entry: StripEntry;
  title: string;
  axisFactor: number;
}) {
  const per = metric === 'throughput' ? 'count' : unit;
  return (
    <div className={styles['cell']}>
      <div className={styles['cellTitle']}>{title}</div>
      <div className={styles['cellFigures']}>
        <strong>{formatChangePct(change.deltaPct)}</strong>
        <span className={styles['dim']}>
          {formatQuantity(change.baseline, per)} → {formatQuantity(change.candidate, per)}
        </span>
      </div>
      <IntervalBar
        pct={change.deltaPct}
        interval={change.intervalPct}
        axisFactor={axisFactor}
        isSure={VERDICTS[change.verdict].isAlarm}
        widthPx={176}
      />
      <div className={styles['cellFoot']}>{certainty(change)}</div>
    </div>
  );
}

function certainty(change: Change) {
  return (
    <>
      <VerdictMark verdict={change.verdict} />
      {change.intervalPct && <span className={styles['dim']}>{formatIntervalPct(change.intervalPct)}</span>}
    </>
  );
}
