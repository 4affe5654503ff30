import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useProject } from '../api/project.js';
import { requestComparison, revisionsQuery, servicesQuery } from '../api/queries.js';
import { ApiError } from '../api/request.js';
import { ServiceChoice, TypeChoice } from '../features/selection/filter-bar.js';
import { SideEditor, sideSelection, type Side } from '../features/selection/side-editor.js';
import { EmptyNotice } from '../ui/notice.js';
import { useKeys } from '../ui/use-keys.js';
import type { CompareSearch } from '../url-state/page-search.js';
import styles from './compare-page.module.css';

/** Asks which two selections to compare; the answer has a page of its own, under the comparison's id. */
export function ComparePage() {
  const search = useSearch({ from: '/app/compare' });
  const navigate = useNavigate({ from: '/compare' });
  const project = useProject();
  const services = useQuery(servicesQuery(project)).data;
  const revisions = useQuery(revisionsQuery(project, search.service)).data ?? [];
  const change = (next: Partial<CompareSearch>) => void navigate({ search: (before) => ({ ...before, ...next }), replace: true });

  // Nothing chosen yet: the two latest releases are what one most often wants to compare.
  const latest = [...revisions].sort((a, b) => b.firstSeenMs - a.firstSeenMs);
  const candidate = sideOf(search, 'candidate', latest[0]?.revision);
  const baseline = sideOf(search, 'baseline', latest.find(({ revision }) => revision !== candidate.revision)?.revision);

  const comparing = useMutation({
    mutationFn: () =>
      requestComparison(project, {
        baseline: sideSelection(search.service, search.type, baseline, revisions),
        candidate: sideSelection(search.service, search.type, candidate, revisions),
      }),
    onSuccess: ({ id }) => navigate({ to: '/compare/$comparisonId', params: { comparisonId: id }, search: {} }),
  });
  const swap = () => change({ ...searchOfSide('baseline', candidate), ...searchOfSide('candidate', baseline) });
  useKeys({ x: swap });

  if (services?.length === 0)
    return (
      <EmptyNotice title="Nothing to compare yet" action={<Link to="/install">Install the agent</Link>}>
        Two releases of a service, or two time ranges of one, can be compared once they have sent profiles.
      </EmptyNotice>
    );
  return (
    <div className={styles['page']}>
      <h1>Compare two selections</h1>
      <div className={styles['subject']}>
        <ServiceChoice
          services={services ?? []}
          value={search.service}
          onChange={(service) => void navigate({ search: { service, type: search.type }, replace: true })}
        />
        <TypeChoice
          service={services?.find(({ name }) => name === search.service)}
          value={search.type}
          onChange={(type) => change({ type })}
        />
      </div>
      {search.service === '' ? (
        <EmptyNotice title="Choose a service">
          The two latest releases are filled in; every part of both sides can be changed.
        </EmptyNotice>
      ) : (
        <>
          <div className={styles['sides']}>
            <SideEditor
              letter="A"
              title="Baseline"
              service={search.service}
              side={baseline}
              onChange={(next) => change(searchOfSide('baseline', { ...baseline, ...next }))}
            />
            <Button variant="default" className={styles['swap'] ?? ''} onClick={swap} aria-label="Swap baseline and candidate">
              ⇄
            </Button>
            <SideEditor
              letter="B"
              title="Candidate"
              service={search.service}
              side={candidate}
              onChange={(next) => change(searchOfSide('candidate', { ...candidate, ...next }))}
            />
          </div>
          <div className={styles['act']}>
            <Button loading={comparing.isPending} onClick={() => comparing.mutate()}>
              Compare
            </Button>
            {comparing.error && (
              <p role="alert" className={styles['error']}>
                {comparing.error instanceof ApiError
                  ? `${comparing.error.message} (${comparing.error.code})`
                  : String(comparing.error)}
              </p>
            )}
            <p className={styles['note']}>
              Every change comes with its interval and a verdict. For a sure one let three or more processes a side run under load
              for some minutes.
            </p>
          </div>
        </>
      )}
    </div>
  );
}

function sideOf(search: CompareSearch, name: 'baseline' | 'candidate', missingRevision = ''): Side {
  const side = {
    environment: search[`${name}Environment`],
    revision: search[`${name}Revision`],
    from: search[`${name}From`],
    until: search[`${name}Until`],
    transaction: search[`${name}Transaction`],
    labels: search[`${name}Labels`],
  };
  // A side told apart by its time needs no revision.
  return side.revision === '' && side.from === '' ? { ...side, revision: missingRevision } : side;
}

/** The parameters of one side, ready for the URL. */
export function searchOfSide(name: 'baseline' | 'candidate', side: Side): Partial<CompareSearch> {
  return {
    [`${name}Environment`]: side.environment,
    [`${name}Revision`]: side.revision,
    [`${name}From`]: side.from,
    [`${name}Until`]: side.until,
    [`${name}Transaction`]: side.transaction,
    [`${name}Labels`]: side.labels,
  };
}
