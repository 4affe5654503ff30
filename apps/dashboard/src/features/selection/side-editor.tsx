import { useQuery } from '@tanstack/react-query';
import type { SelectionInput } from '@hearth/query-contract';
import { useProject } from '../../api/project.js';
import { revisionsQuery, servicesQuery, transactionsQuery } from '../../api/queries.js';
import { formatSpan, formatRange } from '../../format/moment.js';
import { formatCount } from '../../format/quantity.js';
import { Choice } from '../../ui/choice.js';
import { matchText, type LabelFilter } from '../../url-state/label-filter.js';
import { revisionOptions } from './filter-bar.js';
import { LabelFilters } from './label-filters.js';
import { TimeRange } from './time-range.js';
import styles from './side-editor.module.css';

/** One side of a comparison as it is edited; '' means: not narrowed. Empty times: as long as the revision was seen. */
export interface Side {
  readonly environment: string;
  readonly revision: string;
  readonly from: string;
  readonly until: string;
  readonly transaction: string;
  readonly labels: readonly LabelFilter[];
}

interface SideEditorProps {
  readonly letter: 'A' | 'B';
  readonly title: string;
  readonly service: string;
  readonly side: Side;
  readonly onChange: (change: Partial<Side>) => void;
}

/** Which profiles stand on one side: a revision, an environment, a time, labels. */
export function SideEditor({ letter, title, service, side, onChange }: SideEditorProps) {
  const project = useProject();
  const environments = useQuery(servicesQuery(project)).data?.find(({ name }) => name === service)?.environments ?? [];
  const revisions = useQuery(revisionsQuery(project, service)).data ?? [];
  const revision = revisions.find((known) => known.revision === side.revision);
  const range = sideRange(side, revision);
  const transactions =
    useQuery({ ...transactionsQuery(project, { service, ...range }), enabled: service !== '' }).data?.transactions ?? [];
  const isWhole = side.from === '' && side.until === '';
  return (
    <fieldset className={styles['side']}>
      <legend>
        <span className={styles['letter']}>{letter}</span>
        {title}
      </legend>
      <div className={styles['row']}>
        <Choice
          label={`Revision of ${letter}`}
          anything="Any revision"
          widthPx={200}
          value={side.revision}
          onChange={(next) => onChange({ revision: next })}
          options={revisionOptions(revisions)}
        />
        <Choice
          label={`Environment of ${letter}`}
          anything="All environments"
          widthPx={160}
          value={side.environment}
          onChange={(environment) => onChange({ environment })}
          options={environments.filter((name) => name !== '').map((value) => ({ value }))}
        />
      </div>
      <div className={styles['row']}>
        <Choice
          label={`Transaction of ${letter}`}
          anything="All transactions"
          widthPx={200}
          value={side.transaction}
          onChange={(transaction) => onChange({ transaction })}
          options={transactions.map(({ name }) => ({ value: name }))}
        />
        <LabelFilters service={service} range={range} labels={side.labels} onChange={(labels) => onChange({ labels })} />
      </div>
      <div className={styles['row']}>
        <TimeRange {...range} onChange={onChange} />
        {!isWhole && (
          <button type="button" className={styles['whole']} onClick={() => onChange({ from: '', until: '' })}>
            As long as the revision was seen
          </button>
        )}
      </div>
      <p className={styles['note']}>
        {revision
          ? `Seen for ${formatSpan(revision.lastSeenMs - revision.firstSeenMs)} (${formatRange(revision.firstSeenMs, revision.lastSeenMs)}), ${formatCount(revision.processes)} processes${isWhole ? '; all of it is used' : ''}.`
          : 'Without a revision the time range alone tells the sides apart.'}
      </p>
    </fieldset>
  );
}

function sideRange(
  side: Side,
  revision: { firstSeenMs: number; lastSeenMs: number } | undefined,
): { from: string; until: string } {
  return {
    from: side.from || (revision ? String(revision.firstSeenMs) : 'now-1h'),
    // Half-open: the last moment it was seen belongs to it.
    until: side.until || (revision ? String(revision.lastSeenMs + 1) : 'now'),
  };
}

/** The API's selection of one side. */
export function sideSelection(
  service: string,
  type: string,
  side: Side,
  revisions: readonly { revision: string; firstSeenMs: number; lastSeenMs: number }[],
): SelectionInput {
  const match = matchText(side.labels);
  return {
    service,
    type,
    ...sideRange(
      side,
      revisions.find(({ revision }) => revision === side.revision),
    ),
    ...(side.environment ? { environment: side.environment } : {}),
    ...(side.revision ? { revision: side.revision } : {}),
    ...(side.transaction ? { transaction: side.transaction } : {}),
    ...(match ? { match } : {}),
  };
}
