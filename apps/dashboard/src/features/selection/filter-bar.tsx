import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ProcessAnswer, RevisionAnswer, ServiceAnswer } from '@hearth/query-contract';
import { useProject } from '../../api/project.js';
import { processesQuery, revisionsQuery, servicesQuery, transactionsQuery } from '../../api/queries.js';
import { formatClock } from '../../format/moment.js';
import { shortRevision, visibleText } from '../../format/visible-text.js';
import { Choice, type ChoiceOption } from '../../ui/choice.js';
import type { ScopeSearch } from '../../url-state/page-search.js';
import { LabelFilters } from './label-filters.js';
import { TimeRange } from './time-range.js';
import styles from './selection.module.css';

interface FilterBarProps {
  readonly scope: ScopeSearch & { readonly type?: string };
  readonly onChange: (change: Partial<ScopeSearch & { type: string }>) => void;
  /** Parts of the bar that this page does not need. */
  readonly without?: readonly ('type' | 'transaction' | 'process')[];
}

/** What the page is about: the same bar everywhere, and all of it is in the URL. */
export function FilterBar({ scope, onChange, without = [] }: FilterBarProps) {
  const project = useProject();
  const services = useQuery(servicesQuery(project)).data ?? [];
  const revisions = useQuery(revisionsQuery(project, scope.service)).data ?? [];
  const processes = useQuery(processesQuery(project, scope.service)).data ?? [];
  const range = { from: scope.from, until: scope.until };
  const transactions = useQuery({
    ...transactionsQuery(project, { service: scope.service, ...range }),
    enabled: scope.service !== '' && !without.includes('transaction'),
  }).data;
  const service = services.find(({ name }) => name === scope.service);
  return (
    <div className={styles['bar']} role="group" aria-label="What is shown">
      <ServiceChoice
        services={services}
        value={scope.service}
        onChange={(next) => onChange({ service: next, environment: '', revision: '', process: '', transaction: '', labels: [] })}
      />
      {!without.includes('type') && (
        <TypeChoice service={service} value={scope.type ?? 'cpu'} onChange={(type) => onChange({ type })} />
      )}
      <Choice
        label="Environment"
        anything="All environments"
        widthPx={152}
        value={scope.environment}
        onChange={(environment) => onChange({ environment })}
        options={(service?.environments ?? []).filter((name) => name !== '').map((value) => ({ value }))}
      />
      <Choice
        label="Revision"
        anything="All revisions"
        widthPx={168}
        value={scope.revision}
        onChange={(revision) => onChange({ revision })}
        options={revisionOptions(revisions)}
      />
      {!without.includes('process') && (
        <Choice
          label="Process"
          anything="All processes"
          widthPx={168}
          value={scope.process}
          onChange={(process) => onChange({ process })}
          options={processOptions(processes)}
        />
      )}
      {!without.includes('transaction') && (
        <Choice
          label="Transaction"
          anything="All transactions"
          widthPx={200}
          value={scope.transaction}
          onChange={(transaction) => onChange({ transaction })}
          options={(transactions?.transactions ?? []).map(({ name }) => ({ value: name }))}
        />
      )}
      <LabelFilters service={scope.service} range={range} labels={scope.labels} onChange={(labels) => onChange({ labels })} />
      <div className={styles['end']}>
        <TimeRange {...range} onChange={onChange} />
      </div>
    </div>
  );
}

export function ServiceChoice({
  services,
  value,
  onChange,
}: {
  services: readonly ServiceAnswer[];
  value: string;
  onChange: (service: string) => void;
}) {
  return (
    <Choice
      label="Service"
      widthPx={168}
      value={value}
      onChange={onChange}
      options={services.map(({ name }) => ({ value: name }))}
    />
  );
}

const TYPE_TITLES: Record<string, string> = {
  cpu: 'CPU',
  wall: 'Wall',
  wait: 'Wait',
  inuse_space: 'Heap',
  inuse_objects: 'Objects',
  alloc_space: 'Allocated',
  alloc_objects: 'Allocations',
  calls: 'Calls',
};

/** Sums for Transactions: it has no stacks to look at. */
const WITHOUT_STACKS = 'awaited';

export function TypeChoice({
  service,
  value,
  onChange,
}: {
  service: ServiceAnswer | undefined;
  value: string;
  onChange: (type: string) => void;
}) {
  const sent = service?.profileTypes.filter((type) => type !== WITHOUT_STACKS) ?? [];
  const types = sent.includes(value) ? sent : [value, ...sent];
  const titled = types.map((type) => ({ value: type, label: TYPE_TITLES[type] ?? visibleText(type.split(':')[1] ?? type) }));
  // Foreign clients may send many types; a row of buttons holds a handful.
  if (titled.length > 5) return <Choice label="Profile type" widthPx={152} value={value} onChange={onChange} options={titled} />;
  return <SegmentedControl aria-label="Profile type" value={value} onChange={onChange} data={titled} transitionDuration={0} />;
}

export function revisionOptions(revisions: readonly RevisionAnswer[]): ChoiceOption[] {
  return revisions
    .filter(({ revision }) => revision !== '')
    .map(({ revision, version, pinnedMs }) => ({
      value: revision,
      label:
        shortRevision(revision) + (version === '' ? '' : `  ${visibleText(version)}`) + (pinnedMs === null ? '' : '  (pinned)'),
    }));
}

function processOptions(processes: readonly ProcessAnswer[]): ChoiceOption[] {
  return processes.map(({ id, host, pid, startedAtMs, revision }) => ({
    value: id,
    label: `${visibleText(host)}:${pid} since ${formatClock(startedAtMs)}, ${shortRevision(revision)}`,
  }));
}
