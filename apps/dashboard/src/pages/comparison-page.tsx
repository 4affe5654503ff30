import { Button, SegmentedControl } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import type { ComparisonAnswer, MinifiedFileAnswer, ResolvedSelection, SelectionInput } from '@hearth/query-contract';
import type { ComparisonResult } from '@hearth/profile-diff';
import { useMemo } from 'react';
import { useProject } from '../api/project.js';
import { comparisonQuery, requestComparison } from '../api/queries.js';
import { ChangeList } from '../features/comparison/change-list.js';
import { CoverList } from '../features/comparison/cover-list.js';
import { DiffLegend } from '../features/comparison/diff-legend.js';
import { MethodNotes } from '../features/comparison/method-notes.js';
import { TransactionChanges } from '../features/comparison/transaction-changes.js';
import { VerdictStrip } from '../features/comparison/verdict-strip.js';
import { functionChanges, type Show } from '../features/comparison/verdicts.js';
import { FlameGraph } from '../features/flame-graph/flame-graph.js';
import { diffTree } from '../features/flame-graph/flame-tree.js';
import { pathTo } from '../features/flame-graph/layout.js';
import { MinifiedHint } from '../features/minified/minified-hint.js';
import { formatRange, formatSpan } from '../format/moment.js';
import { formatCount } from '../format/quantity.js';
import { shortRevision, visibleText } from '../format/visible-text.js';
import { Choice } from '../ui/choice.js';
import { Caveat, EmptyNotice, ErrorNotice, SkeletonRows } from '../ui/notice.js';
import { useKeys } from '../ui/use-keys.js';
import { pathText, type FunctionHash } from '../url-state/function-key.js';
import { readMatchText } from '../url-state/label-filter.js';
import type { ComparisonSearch } from '../url-state/page-search.js';
import { searchOfSide } from './compare-page.js';
import { QueryError } from './page-error.js';
import styles from './comparison-page.module.css';

/** A comparison that has not begun after this long has no worker to run it. */
const NO_WORKER_AFTER_MS = 30_000;

export function ComparisonPage() {
  const { comparisonId } = useParams({ from: '/app/compare/$comparisonId' });
  const project = useProject();
  const { data, error, refetch, dataUpdatedAt } = useQuery(comparisonQuery(project, comparisonId));
  if (!data) return error ? <QueryError error={error} onRetry={() => void refetch()} /> : <Loading />;
  return (
    <>
      <Sides answer={data} />
      {data.status === 'done' && data.result ? (
        <Result result={data.result} answer={data} />
      ) : (
        <NotDone answer={data} nowMs={dataUpdatedAt} />
      )}
    </>
  );
}

/** What is compared, and the ways to change it. */
function Sides({ answer: { baseline, candidate } }: { answer: ComparisonAnswer }) {
  const project = useProject();
  const navigate = useNavigate();
  const swapping = useMutation({
    mutationFn: () => requestComparison(project, { baseline: inputOf(candidate), candidate: inputOf(baseline) }),
    onSuccess: ({ id }) => navigate({ to: '/compare/$comparisonId', params: { comparisonId: id }, search: {} }),
  });
  useKeys({ x: () => swapping.mutate() });
  const edited = {
    service: baseline.service,
    type: baseline.type,
    ...searchOfSide('baseline', sideOf(baseline)),
    ...searchOfSide('candidate', sideOf(candidate)),
  };
  return (
    <div className={styles['sides']}>
      <strong>{visibleText(baseline.service)}</strong>
      <span className={styles['dim']}>{profileName(baseline.type)}</span>
      <SideText letter="A" selection={baseline} />
      <SideText letter="B" selection={candidate} />
      <div className={styles['end']}>
        <Button
          variant="default"
          loading={swapping.isPending}
          onClick={() => swapping.mutate()}
          aria-label="Swap baseline and candidate"
        >
          ⇄ Swap
        </Button>
        <Button variant="default" onClick={() => void navigate({ to: '/compare', search: edited })}>
          Change…
        </Button>
      </div>
    </div>
  );
}

function SideText({ letter, selection }: { letter: 'A' | 'B'; selection: ResolvedSelection }) {
  const parts = [selection.environment, selection.transaction, selection.match]
    .filter((part) => part !== undefined && part !== '')
    .map((part) => visibleText(part!));
  return (
    <span className={styles['side']} title={formatRange(selection.fromMs, selection.untilMs)}>
      <span className={styles['letter']}>{letter}</span>
      <code>{selection.revision ? shortRevision(selection.revision) : 'any revision'}</code>
      <span className={styles['dim']}>{[...parts, formatRange(selection.fromMs, selection.untilMs)].join(', ')}</span>
    </span>
  );
}

function NotDone({ answer, nowMs }: { answer: ComparisonAnswer; nowMs: number }) {
  if (answer.status === 'failed' || answer.status === 'done') {
    return (
      <ErrorNotice
        title="This comparison failed"
        {...(answer.error ? { code: answer.error.code } : {})}
        action={
          <Link to="/compare" search={{ service: answer.baseline.service }}>
            Change the selections
          </Link>
        }
      >
        {answer.error?.message ?? 'The server gave no reason. Its log names this comparison.'} Asking for it again starts it anew.
      </ErrorNotice>
    );
  }
  const waitedMs = nowMs - answer.createdMs;
  return (
    <div className={styles['waiting']}>
      <EmptyNotice title={answer.status === 'pending' ? 'Waiting for a worker' : 'Comparing'}>
        {answer.status === 'running'
          ? 'Both sides are read, merged and tested; usually a few seconds. This page shows the result by itself.'
          : waitedMs > NO_WORKER_AFTER_MS
            ? `No worker has taken it for ${formatSpan(waitedMs)}. Check that a process with HEARTH_ROLE=worker (or all) runs and reaches the same queue; the comparison is kept and starts as soon as one does.`
            : 'It is queued; this page shows the result by itself.'}
      </EmptyNotice>
      <SkeletonRows rows={10} label="The comparison is not done yet" />
    </div>
  );
}

function Loading() {
  return (
    <>
      <div className={styles['sides']} />
      <div className={styles['stripBones']}>
        <SkeletonRows rows={3} label="Loading the comparison" />
      </div>
      <div className={styles['panes']}>
        <div className={styles['listPane']}>
          <SkeletonRows rows={14} label="Loading the changes" />
        </div>
        <div className={styles['graphPane']}>
          <SkeletonRows rows={14} label="Loading the graph" />
        </div>
      </div>
    </>
  );
}

function Result({ result, answer }: { result: ComparisonResult; answer: ComparisonAnswer }) {
  const search = useSearch({ from: '/app/compare/$comparisonId' });
  const navigate = useNavigate({ from: '/compare/$comparisonId' });
  const change = (next: Partial<ComparisonSearch>, history: 'push' | 'replace' = 'push') =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: history === 'replace' });
  const tree = useMemo(() => diffTree(result), [result]);
  const levels = useMemo(() => tree.depth.reduce((deepest, depth) => Math.max(deepest, depth), 0) + 1, [tree]);
  // Levels have no verdicts: a list of the sure ones would be empty.
  const show: Show = result.kind === 'level' ? 'all' : search.show;
  const changes = useMemo(
    () => functionChanges(result.functions, search.metric, show, search.only),
    [result, search.metric, show, search.only],
  );
  const select = (hash: FunctionHash, transaction: string) => change({ function: hash, transaction }, 'replace');
  const step = (by: 1 | -1) => {
    const at = changes.findIndex(({ hash }) => hash === search.function);
    const next = changes[Math.max(0, Math.min(changes.length - 1, at + by))];
    if (next) select(next.hash, next.rows[0]!.transaction ?? '');
  };
  useKeys({ '[': () => step(-1), ']': () => step(1) });

  const widened = search.only !== '' || show !== 'all' ? () => change({ show: 'all', only: '' }) : undefined;
  const isFiltered = search.function !== '' || search.transaction !== '' || search.only !== '' || search.zoom !== '';
  return (
    <>
      <VerdictStrip result={result} profileName={profileName(answer.baseline.type)} />
      {result.warnings.map(({ code, message }) => (
        <Caveat key={code}>{visibleText(message)}</Caveat>
      ))}
      <MinifiedHint service={answer.candidate.service} minified={minifiedIn(answer, result)} />
      <CoverList
        result={result}
        selected={search.function}
        onChoose={(row, hash) =>
          change(
            hash === search.function
              ? { function: '', transaction: '', zoom: '' }
              : { function: hash, transaction: row.transaction ?? '', zoom: pathOfRow(tree, row.treeRow) },
          )
        }
      />
      <div className={styles['panes']} style={{ height: panesHeightPx(changes.length, levels) }}>
        <div className={styles['listPane']}>
          <div className={styles['toolbar']}>
            <SegmentedControl
              aria-label="Which changes"
              value={show}
              onChange={(next) => change({ show: next as Show })}
              disabled={result.kind === 'level'}
              transitionDuration={0}
              data={[
                { value: 'alarms', label: 'Sure' },
                { value: 'possible', label: 'Likely too' },
                { value: 'all', label: 'All' },
              ]}
            />
            <SegmentedControl
              aria-label="Metric"
              value={search.metric}
              onChange={(metric) => change({ metric: metric as ComparisonSearch['metric'] })}
              transitionDuration={0}
              data={[
                { value: 'self', label: 'Self' },
                { value: 'inclusive', label: 'With callees' },
              ]}
            />
            <Choice
              label="Transaction"
              anything="All transactions"
              widthPx={176}
              value={search.only}
              onChange={(only) => change({ only, transaction: only })}
              options={result.transactions.map(({ transaction }) => ({ value: transaction }))}
            />
            <span className={styles['count']}>{formatCount(changes.length)}</span>
          </div>
          <div className={styles['listBody']}>
            <ChangeList
              result={result}
              changes={changes}
              selected={search.function}
              selectedTransaction={search.transaction}
              onSelect={select}
              onShowAll={widened}
            />
          </div>
        </div>
        <div className={styles['graphPane']}>
          <FlameGraph
            tree={tree}
            label={`Difference of two profiles of ${visibleText(answer.baseline.service)}`}
            zoom={search.zoom}
            onZoom={(zoom) => change({ zoom })}
            search={search.search}
            onSearch={(text) => change({ search: text }, 'replace')}
            selected={search.function}
            onSelect={(hash) => change({ function: hash }, 'replace')}
          />
          <div className={styles['legend']}>
            <DiffLegend tested={tree.sides?.tested ?? false} />
            {isFiltered && (
              <Button variant="default" onClick={() => change({ function: '', transaction: '', only: '', zoom: '' })}>
                Clear selection
              </Button>
            )}
          </div>
        </div>
      </div>
      <TransactionChanges
        result={result}
        selected={search.transaction}
        onSelect={(transaction) => change({ transaction, only: transaction })}
      />
      <MethodNotes result={result} />
    </>
  );
}

/** As high as the longer of the two needs, within what can be seen at once; room for one opened row. */
function panesHeightPx(rows: number, levels: number): number {
  return Math.max(380, Math.min(640, Math.max(72 + 28 * rows + 140, 112 + 20 * levels)));
}

/** The path of the caller of a row: the frame itself is then seen among its neighbours. */
function pathOfRow(tree: ReturnType<typeof diffTree>, row: number): string {
  return pathText(
    pathTo(tree.depth, row)
      .slice(1, -1)
      .map((step) => tree.hashes[tree.functionRow[step]!]!),
  );
}

function sideOf(selection: ResolvedSelection) {
  return {
    environment: selection.environment ?? '',
    revision: selection.revision ?? '',
    transaction: selection.transaction ?? '',
    from: String(selection.fromMs),
    until: String(selection.untilMs),
    labels: readMatchText(selection.match),
  };
}

function inputOf({ fromMs, untilMs, ...selection }: ResolvedSelection): SelectionInput {
  return { ...selection, from: String(fromMs), until: String(untilMs) };
}

/** `CPU` of a profile type's id or short name. */
function profileName(type: string): string {
  const sampleType = type.split(':')[1] ?? type;
  const names: Record<string, string> = {
    cpu: 'CPU',
    wall: 'Wall time',
    wait: 'Waiting',
    inuse_space: 'Heap in use',
    inuse_objects: 'Objects in use',
    alloc_space: 'Allocated',
    alloc_objects: 'Allocations',
    calls: 'Calls',
  };
  return Object.hasOwn(names, sampleType) ? names[sampleType]! : visibleText(sampleType.replaceAll('_', ' '));
}

/** Of the releases that were compared; a side without a revision has no map that could be named. */
function minifiedIn({ baseline, candidate }: ComparisonAnswer, { tree, warnings }: ComparisonResult): MinifiedFileAnswer[] {
  const revision = candidate.revision ?? baseline.revision;
  if (revision === undefined || !warnings.some(({ code }) => code === 'MINIFIED_CODE')) return [];
  const files = tree.functions.filter(({ name, package: packageName }) => name === '(minified)' && packageName === '');
  return files.map(({ file }) => ({ revision, file, hasMap: false }));
}
