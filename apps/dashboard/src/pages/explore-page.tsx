import { Button, SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { FlameGraphAnswer } from '@hearth/query-contract';
import { useMemo } from 'react';
import { useProject } from '../api/project.js';
import { flameGraphQuery, functionsQuery, labelsQuery, servicesQuery, timelineQuery } from '../api/queries.js';
import { FlameGraph } from '../features/flame-graph/flame-graph.js';
import { flameTree } from '../features/flame-graph/flame-tree.js';
import { FunctionTable } from '../features/function-table/function-table.js';
import { LinesView } from '../features/lines/lines-view.js';
import { MinifiedHint } from '../features/minified/minified-hint.js';
import { FilterBar } from '../features/selection/filter-bar.js';
import { selectionOf } from '../features/selection/selection-of.js';
import { ProcessMetrics } from '../features/timeline/process-metrics.js';
import { timelineAxis } from '../features/timeline/timeline-axis.js';
import { Timeline, type Brush } from '../features/timeline/timeline.js';
import { formatRange } from '../format/moment.js';
import { formatCount, formatQuantity, formatShare } from '../format/quantity.js';
import { visibleText } from '../format/visible-text.js';
import { Choice } from '../ui/choice.js';
import { Dimmed } from '../ui/dimmed.js';
import { Caveat, EmptyNotice, SkeletonRows } from '../ui/notice.js';
import { SearchBox } from '../ui/search-box.js';
import type { ExploreSearch } from '../url-state/page-search.js';
import { QueryError } from './page-error.js';
import styles from './explore-page.module.css';

/** Rows of the table that are asked for; more can be searched. */
const FUNCTIONS_LIMIT = 2000;

export function ExplorePage() {
  const search = useSearch({ from: '/app/explore' });
  const navigate = useNavigate({ from: '/explore' });
  const project = useProject();
  const services = useQuery(servicesQuery(project)).data;
  const change = (next: Partial<ExploreSearch>, history: 'push' | 'replace' = 'push') =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: history === 'replace' });

  if (services?.length === 0) {
    return (
      <EmptyNotice title="No service has sent anything yet" action={<Link to="/install">Install the agent</Link>}>
        Profiles appear here about a minute after a service starts with the agent.
      </EmptyNotice>
    );
  }
  if (search.service === '') {
    return (
      <>
        <FilterBar scope={search} onChange={(next) => change({ ...next, zoom: '', function: '' })} />
        <EmptyNotice
          title="Choose a service"
          action={services?.slice(0, 6).map(({ name }) => (
            <Button key={name} variant="default" onClick={() => change({ service: name })}>
              {visibleText(name)}
            </Button>
          ))}
        >
          Its profile of the last hour is shown first; every filter above narrows it.
        </EmptyNotice>
      </>
    );
  }
  return (
    <>
      <FilterBar
        scope={search}
        onChange={(next) =>
          change({
            ...next,
            ...(next.from || next.service ? { brush: '' } : {}),
            ...(next.type || next.service ? { zoom: '', function: '' } : {}),
          })
        }
      />
      <ExploreTimeline search={search} change={change} />
      <Profile search={search} change={change} />
    </>
  );
}

interface PartProps {
  readonly search: ExploreSearch;
  readonly change: (next: Partial<ExploreSearch>, history?: 'push' | 'replace') => void;
}

function ExploreTimeline({ search, change }: PartProps) {
  const project = useProject();
  const { data, error, isPlaceholderData, refetch } = useQuery(timelineQuery(project, selectionOf(search), search.group));
  const labels = useQuery(labelsQuery(project, search.service, { from: search.from, until: search.until })).data?.labels ?? [];
  const axis = useMemo(() => data && timelineAxis(data, kindOf(data.selection.type)), [data]);
  const brush = readBrush(search.brush);
  const groups = [
    { value: 'revision', label: 'by revision' },
    { value: 'process', label: 'by process' },
    ...labels.map(({ name }) => ({ value: name, label: `by ${visibleText(name)}` })),
  ];
  return (
    <section className={styles['timeline']} aria-label="Timeline">
      {data && axis ? (
        <Dimmed stale={isPlaceholderData}>
          <Timeline
            times={data}
            axis={axis}
            brush={brush}
            onBrush={(next) => change({ brush: next ? `${next.fromMs}-${next.untilMs}` : '' })}
          >
            {brush && (
              <>
                <span className={styles['note']}>Shown below: {formatRange(brush.fromMs, brush.untilMs)}</span>
                <Button
                  variant="default"
                  onClick={() => change({ from: String(brush.fromMs), until: String(brush.untilMs), brush: '' })}
                >
                  Zoom the timeline
                </Button>
                <Button variant="default" onClick={() => change({ brush: '' })}>
                  Clear
                </Button>
              </>
            )}
            <Choice
              label="Lines of the timeline"
              anything="one line"
              widthPx={136}
              value={search.group}
              onChange={(group) => change({ group })}
              options={groups}
            />
          </Timeline>
        </Dimmed>
      ) : error ? (
        <QueryError error={error} onRetry={() => void refetch()} />
      ) : (
        <div className={styles['timelineBones']}>
          <SkeletonRows rows={5} label="Loading the timeline" />
        </div>
      )}
    </section>
  );
}

function Profile({ search, change }: PartProps) {
  const project = useProject();
  const brush = readBrush(search.brush);
  const selection = selectionOf(brush ? { ...search, from: String(brush.fromMs), until: String(brush.untilMs) } : search);
  const hasGraph = search.view === 'both' || search.view === 'graph';
  const hasTable = search.view === 'both' || search.view === 'table';
  const graph = useQuery({ ...flameGraphQuery(project, selection), ...(hasGraph ? {} : { enabled: false }) });
  // Which rows come depends on the sort, as long as there are more than are asked for.
  const functions = useQuery({
    ...functionsQuery(project, selection, {
      sort: search.sort === 'total' ? 'total' : 'self',
      limit: FUNCTIONS_LIMIT,
      search: search.search.startsWith('/') ? '' : search.search,
    }),
    ...(hasTable ? {} : { enabled: false }),
  });
  const tree = useMemo(() => graph.data && flameTree(graph.data), [graph.data]);
  const first = graph.data ?? functions.data;

  if (first && first.samples === 0 && first.sum === 0) return <NoSamples search={search} change={change} />;
  return (
    <section className={styles['profile']} aria-label="Profile">
      <div className={styles['toolbar']}>
        <SegmentedControl
          aria-label="View"
          value={search.view}
          onChange={(view) => change({ view: view as ExploreSearch['view'] })}
          transitionDuration={0}
          data={[
            { value: 'both', label: 'Both' },
            { value: 'graph', label: 'Flame graph' },
            { value: 'table', label: 'Table' },
            { value: 'lines', label: 'Lines' },
            { value: 'process', label: 'Process' },
          ]}
        />
        {hasGraph && (
          <SegmentedControl
            aria-label="Direction"
            value={search.grow}
            onChange={(grow) => change({ grow: grow as ExploreSearch['grow'] })}
            transitionDuration={0}
            data={[
              { value: 'down', label: 'Icicle' },
              { value: 'up', label: 'Flame' },
            ]}
          />
        )}
        {search.view === 'table' && (
          <SearchBox
            value={search.search}
            onChange={(text) => change({ search: text }, 'replace')}
            label="Search functions"
            placeholder="Search name or file"
          />
        )}
        <span className={styles['sum']}>{(hasGraph || hasTable) && first && sumText(first)}</span>
      </div>
      {graph.data && graph.data.truncated.nodes > 0 && (
        <Caveat>
          {formatCount(graph.data.truncated.nodes)} small frames (
          {formatShare(graph.data.truncated.value / (graph.data.sum || 1))} of the total) are folded into “(truncated)”. Filter or
          zoom the time range to see them.
        </Caveat>
      )}
      {first && <MinifiedHint service={search.service} minified={first.minified} />}
      <div className={styles['panes']} data-view={search.view}>
        {search.view === 'lines' && (
          <div className={styles['graphPane']}>
            <LinesView
              selection={selection}
              chosen={{ file: search.file, package: search.package }}
              onChoose={(file) => change({ ...file })}
              renderError={(error, onRetry) => <QueryError error={error} onRetry={onRetry} />}
            />
          </div>
        )}
        {search.view === 'process' && (
          <div className={styles['graphPane']}>
            <ProcessMetrics
              selection={selectionOf(search)}
              brush={brush}
              onBrush={(next) => change({ brush: next ? `${next.fromMs}-${next.untilMs}` : '' })}
              renderError={(error, onRetry) => <QueryError error={error} onRetry={onRetry} />}
            />
          </div>
        )}
        {hasTable && (
          <div className={styles['tablePane']}>
            {functions.data ? (
              <Dimmed stale={functions.isPlaceholderData} style={{ height: '100%' }}>
                <FunctionTable
                  answer={functions.data}
                  sort={search.sort}
                  onSort={(sort) => change({ sort })}
                  selected={search.function}
                  onSelect={(hash) => change({ function: hash }, 'replace')}
                />
              </Dimmed>
            ) : functions.error ? (
              <QueryError error={functions.error} onRetry={() => void functions.refetch()} />
            ) : (
              <SkeletonRows rows={14} label="Loading functions" />
            )}
          </div>
        )}
        {hasGraph && (
          <div className={styles['graphPane']}>
            {tree ? (
              <Dimmed stale={graph.isPlaceholderData} style={{ height: '100%' }}>
                <FlameGraph
                  tree={tree}
                  label={`Flame graph of ${visibleText(search.service)}`}
                  grow={search.grow}
                  zoom={search.zoom}
                  onZoom={(zoom) => change({ zoom })}
                  search={search.search}
                  onSearch={(text) => change({ search: text }, 'replace')}
                  selected={search.function}
                  onSelect={(hash) => change({ function: hash }, 'replace')}
                />
              </Dimmed>
            ) : graph.error ? (
              <QueryError error={graph.error} onRetry={() => void graph.refetch()} />
            ) : (
              <SkeletonRows rows={14} label="Loading the flame graph" />
            )}
          </div>
        )}
      </div>
    </section>
  );
}

/** Nothing in this selection: say which of the filters are on, and offer the way out. */
function NoSamples({ search, change }: PartProps) {
  const filters =
    [search.environment, search.revision, search.process, search.transaction, search.brush].filter((value) => value !== '')
      .length + search.labels.length;
  const clear = { environment: '', revision: '', process: '', transaction: '', brush: '', labels: [] };
  return (
    <EmptyNotice
      title="No samples in this selection"
      action={
        <>
          {filters > 0 && (
            <Button variant="default" onClick={() => change(clear)}>
              Clear {filters} filter{filters === 1 ? '' : 's'}
            </Button>
          )}
          <Button variant="default" onClick={() => change({ from: 'now-24h', until: 'now', brush: '' })}>
            Look at the last 24 hours
          </Button>
        </>
      }
    >
      {visibleText(search.service)} sent nothing of this profile type that fits {filters > 0 ? 'the filters above' : 'this range'}
      . A new process needs about half a minute until its first profile is here.
    </EmptyNotice>
  );
}

function readBrush(text: string): Brush | undefined {
  const [fromMs, untilMs] = text.split('-').map(Number);
  return fromMs !== undefined && untilMs !== undefined && fromMs < untilMs ? { fromMs, untilMs } : undefined;
}

/** What is alive is seen again in each period: a number of samples would say nothing. */
function sumText({ sum, unit, samples, selection }: Pick<FlameGraphAnswer, 'sum' | 'unit' | 'samples' | 'selection'>): string {
  const text = formatQuantity(sum, unit);
  return kindOf(selection.type) === 'level' ? `${text} on average` : `${text} in ${formatCount(samples)} samples`;
}

function kindOf(type: string): 'flow' | 'level' {
  return (type.split(':')[1] ?? type).startsWith('inuse_') ? 'level' : 'flow';
}
