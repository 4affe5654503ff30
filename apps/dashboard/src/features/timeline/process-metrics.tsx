import { useQuery } from '@tanstack/react-query';
import type { SelectionInput } from '@hearth/query-contract';
import { useMemo, type ReactNode } from 'react';
import { useProject } from '../../api/project.js';
import { processMetricsQuery } from '../../api/queries.js';
import { Dimmed } from '../../ui/dimmed.js';
import { EmptyNotice, SkeletonRows } from '../../ui/notice.js';
import { metricAxes } from './metric-axes.js';
import { Timeline, type Brush } from './timeline.js';
import styles from './timeline.module.css';

interface ProcessMetricsProps {
  readonly selection: SelectionInput;
  readonly brush: Brush | undefined;
  readonly onBrush: (brush: Brush | undefined) => void;
  readonly renderError: (error: unknown, onRetry: () => void) => ReactNode;
}

/** What processes measured of themselves, a small chart for each kind. Dragging over one chooses the part whose samples are shown elsewhere. */
export function ProcessMetrics({ selection, brush, onBrush, renderError }: ProcessMetricsProps) {
  const project = useProject();
  const { data, error, isPlaceholderData, refetch } = useQuery(processMetricsQuery(project, selection));
  const charts = useMemo(() => data && metricAxes(data), [data]);
  const times = useMemo(() => data && { ...data, deploys: [] }, [data]);
  if (error && !data) return renderError(error, () => void refetch());
  if (!times || !charts) return <SkeletonRows rows={14} label="Loading process metrics" />;
  if (charts.length === 0)
    return (
      <EmptyNotice title="No process measured itself in this range">
        Agents of Hearth send these figures with every batch; uploads and Pyroscope’s clients do not.
      </EmptyNotice>
    );
  return (
    <Dimmed stale={isPlaceholderData} style={{ height: '100%' }}>
      <div className={styles['grid']} tabIndex={0} role="region" aria-label="Process metrics">
        {charts.map((axis) => (
          <Timeline key={axis.title} times={times} axis={axis} heightPx={CHART_PX} brush={brush} onBrush={onBrush} />
        ))}
      </div>
    </Dimmed>
  );
}

const CHART_PX = 112;
