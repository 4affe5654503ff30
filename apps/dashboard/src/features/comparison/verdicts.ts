import type { Change, CoverRow, FunctionRow, Verdict } from '@hearth/profile-diff';
import { functionHash, type FunctionHash } from '../../url-state/function-key.js';

interface VerdictLook {
  readonly title: string;
  /** Second channel beside the colour: full for what is sure, hollow for what is likely. */
  readonly mark: string;
  readonly tone: 'more' | 'less' | 'same';
  readonly isAlarm: boolean;
}

export const VERDICTS: Readonly<Record<Verdict, VerdictLook>> = {
  REGRESSED: { title: 'Regressed', mark: '▲', tone: 'more', isAlarm: true },
  IMPROVED: { title: 'Improved', mark: '▼', tone: 'less', isAlarm: true },
  LIKELY_REGRESSED: { title: 'Likely regressed', mark: '△', tone: 'more', isAlarm: false },
  LIKELY_IMPROVED: { title: 'Likely improved', mark: '▽', tone: 'less', isAlarm: false },
  NEW: { title: 'New', mark: '+', tone: 'more', isAlarm: true },
  GONE: { title: 'Gone', mark: '×', tone: 'less', isAlarm: true },
  UNCHANGED: { title: 'Unchanged', mark: '=', tone: 'same', isAlarm: false },
  NO_VERDICT: { title: 'No verdict', mark: '', tone: 'same', isAlarm: false },
  NOT_ENOUGH_DATA: { title: 'Not enough data', mark: '?', tone: 'same', isAlarm: false },
};

/** Which verdicts a list shows. `possible` adds the likely ones to the alarms. */
export type Show = 'alarms' | 'possible' | 'all';

/** All rows of one function, the strongest first: by the order of the result, alarms before the rest. */
export interface FunctionChanges {
  readonly hash: FunctionHash;
  readonly rows: readonly FunctionRow[];
}

/**
 * The list of changes: one entry per function, in the order of the result.
 *
 * @param transaction - '' for all; otherwise only rows about it.
 */
export function functionChanges(
  rows: readonly FunctionRow[],
  metric: FunctionRow['metric'],
  show: Show,
  transaction: string,
): FunctionChanges[] {
  const byFunction = new Map<FunctionHash, FunctionRow[]>();
  for (const row of rows) {
    if (row.metric !== metric || (transaction !== '' && row.transaction !== transaction)) continue;
    const hash = functionHash(row.function);
    const known = byFunction.get(hash);
    if (known) known.push(row);
    else byFunction.set(hash, [row]);
  }
  return [...byFunction].map(([hash, own]) => ({ hash, rows: own })).filter(({ rows: own }) => isShown(own[0]!.change, show));
}

function isShown({ verdict }: Change, show: Show): boolean {
  if (show === 'all') return true;
  return VERDICTS[verdict].isAlarm || (show === 'possible' && (verdict === 'LIKELY_REGRESSED' || verdict === 'LIKELY_IMPROVED'));
}

/** `2 regressed, 1 improved, 1 likely regressed`; '' when nothing changed. */
export function countVerdicts(changes: readonly FunctionChanges[]): string {
  const counts = new Map<Verdict, number>();
  for (const { rows } of changes) counts.set(rows[0]!.change.verdict, (counts.get(rows[0]!.change.verdict) ?? 0) + 1);
  const told: Verdict[] = ['REGRESSED', 'NEW', 'IMPROVED', 'GONE', 'LIKELY_REGRESSED', 'LIKELY_IMPROVED'];
  return told
    .filter((verdict) => counts.has(verdict))
    .map((verdict) => `${counts.get(verdict)} ${VERDICTS[verdict].title.toLowerCase()}`)
    .join(', ');
}

/** What a sentence says of a function. */
export type ToldChange = Pick<FunctionRow, 'function' | 'transaction' | 'change'>;

/** The first frame of the cover that surely changed. Where no function did by itself, it did with what it calls. */
export function sureOfCover(cover: readonly CoverRow[]): ToldChange | undefined {
  for (const { change, ...row } of cover) if (change !== null && VERDICTS[change.verdict].isAlarm) return { ...row, change };
  return undefined;
}
