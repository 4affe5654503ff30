import type { ExemplarAnswer } from '@hearth/query-contract';
import { useMemo } from 'react';
import { formatQuantity } from '../../format/quantity.js';
import { visibleText } from '../../format/visible-text.js';
import { packLanes } from './lanes.js';
import { isFailure } from './run-figures.js';
import styles from './run.module.css';
import { placeIn, ticksOf, viewOf, type RunView } from './time-scale.js';

interface LaneProps {
  readonly answer: ExemplarAnswer;
  readonly view: RunView;
}

const ROW_PX = 24;
/** Waits beside each other that are drawn; more would push everything else out of sight. */
const MOST_LANES = 10;
/** The text of a tick that is further to the right is on its left. */
const LAST_TICK_PERCENT = 94;
/** A narrower wait has no room for its name. */
const LEAST_NAMED_PERCENT = 3;
/** A span that begins further to the right has its name on its left. */
const RIGHT_PERCENT = 60;

/** Times over all that stands below. */
export function RunAxis({ view }: { view: RunView }) {
  return (
    <div className={styles['axis']} aria-hidden="true">
      {ticksOf(view).map((at) => {
        const { left } = placeIn(view, at, 0)!;
        const isLast = left > LAST_TICK_PERCENT;
        return (
          <span
            key={at}
            className={styles[isLast ? 'lastTick' : 'tick']}
            style={isLast ? { right: `${100 - left}%` } : { left: `${left}%` }}
          >
            {at === 0 ? '0' : formatQuantity(at, 'microseconds')}
          </span>
        );
      })}
    </div>
  );
}

/** The spans of a run, each at its time, with what they were given; a click shows the time of one. */
export function RunSpans({ answer: { spans }, view, onView }: LaneProps & { readonly onView: (view: RunView) => void }) {
  const depth = useMemo(() => depthsOf(spans.parent), [spans]);
  return (
    <ul className={styles['spans']} aria-label="Spans">
      {spans.name.map((name, row) => {
        const [start, duration] = [spans.startMicros[row]!, spans.durationMicros[row]!];
        const place = placeIn(view, start, duration);
        const inputs = spans.inputs[row]!.map(([label, value]) => `${visibleText(label)} ${visibleText(value)}`).join(', ');
        const outcome = spans.outcome[row]!;
        const own = viewOf(start, duration);
        const isShown = view.from === own.from && view.to === own.to;
        const whereText = `, level ${depth[row]! + 1}, from ${formatQuantity(start, 'microseconds')}`;
        if (place === undefined) return null;
        // Beside the end that has more room, and cut at its own end: the name comes first.
        const beside =
          place.left > RIGHT_PERCENT
            ? { right: `calc(${100 - place.left}% + 6px)`, maxWidth: `calc(${place.left}% - 6px)` }
            : { left: `calc(${place.left}% + 6px)`, maxWidth: `calc(${100 - place.left}% - 6px)` };
        return (
          <li key={row}>
            <button
              type="button"
              className={styles['span']}
              style={{ height: ROW_PX }}
              aria-pressed={isShown}
              title={`${visibleText(name)}${whereText}, ${formatQuantity(duration, 'microseconds')}${inputs === '' ? '' : `: ${inputs}`}`}
              onClick={() => onView(own)}
            >
              <span
                className={styles[isFailure(outcome) ? 'failedBar' : 'spanBar']}
                style={{ left: `${place.left}%`, width: `max(2px, ${place.width}%)` }}
              />
              <span className={styles['spanText']} style={beside}>
                <span className={styles['name']}>{visibleText(name)}</span> {formatQuantity(duration, 'microseconds')}
                {outcome !== 'ok' && <span className={styles[isFailure(outcome) ? 'failed' : 'ended']}> {outcome}</span>}
                {inputs !== '' && <span className={styles['inputs']}> {inputs}</span>}
                <span className={styles['spoken']}>{whereText}</span>
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function depthsOf(parent: readonly number[]): number[] {
  const depths: number[] = [];
  // A parent stands before its children.
  for (const above of parent) depths.push(above < 0 ? 0 : (depths[above] ?? 0) + 1);
  return depths;
}

/** What a run waited for, each at its time; those beside each other below each other. */
export function RunWaits({ answer, view }: LaneProps) {
  const { waits } = answer;
  const lanes = useMemo(() => packLanes(waits.startMicros, waits.durationMicros, MOST_LANES), [waits]);
  if (waits.stack.length === 0) return <p className={styles['note']}>For nothing that is recorded.</p>;
  if (waits.startMicros.every((start, row) => placeIn(view, start, waits.durationMicros[row]!) === undefined))
    return <p className={styles['note']}>For nothing in this part of the run.</p>;
  return (
    <>
      <ul className={styles['waits']} style={{ height: lanes.count * ROW_PX }} aria-label="Waits">
        {waits.stack.map((stack, row) => {
          const [start, duration] = [waits.startMicros[row]!, waits.durationMicros[row]!];
          const place = placeIn(view, start, duration);
          if (place === undefined || lanes.lane[row]! < 0) return null;
          const operation = visibleText(answer.functions.name[answer.stacks.function[stack] ?? -1] ?? '(unknown)');
          const caller = callerOf(answer, stack);
          const text = `${operation}: ${formatQuantity(duration, 'microseconds')} from ${formatQuantity(start, 'microseconds')}${caller === '' ? '' : `, called in ${caller}`}`;
          return (
            <li
              key={row}
              className={styles['wait']}
              style={{ left: `${place.left}%`, width: `max(2px, ${place.width}%)`, top: lanes.lane[row]! * ROW_PX }}
              title={text}
              aria-label={text}
            >
              {place.width >= LEAST_NAMED_PERCENT && <span aria-hidden="true">{operation}</span>}
            </li>
          );
        })}
      </ul>
      {lanes.hidden > 0 && <p className={styles['note']}>And {lanes.hidden} more beside these.</p>}
    </>
  );
}

/** The last function of the service's own code before a wait; '' if there is none. */
function callerOf({ stacks, functions }: ExemplarAnswer, stack: number): string {
  for (let row = stacks.parent[stack] ?? -1; row >= 0; row = stacks.parent[row]!) {
    const [at, file] = [stacks.function[row]!, functions.file[stacks.function[row]!]!];
    if (functions.package[at] === '' && file !== '') return `${visibleText(functions.name[at]!)} (${visibleText(file)})`;
    if (stacks.parent[row]! >= row) break; // a circle
  }
  return '';
}
