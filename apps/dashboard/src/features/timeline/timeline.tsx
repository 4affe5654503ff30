import { useComputedColorScheme } from '@mantine/core';
import type { TimelineAnswer } from '@hearth/query-contract';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatClock, formatMoment } from '../../format/moment.js';
import { formatNumber } from '../../format/quantity.js';
import { shortRevision, visibleText } from '../../format/visible-text.js';
import type { TimelineAxis } from './timeline-axis.js';
import styles from './timeline.module.css';

/** Half-open range in milliseconds. */
export interface Brush {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** When the values are of, and what else happened. */
export type TimelineTimes = Pick<TimelineAnswer, 'startsMs' | 'deploys'> & {
  readonly selection: { readonly fromMs: number; readonly untilMs: number };
};

interface TimelineProps {
  readonly times: TimelineTimes;
  /** The same object as long as nothing has changed. */
  readonly axis: TimelineAxis;
  readonly heightPx?: number;
  readonly brush: Brush | undefined;
  /** `undefined`: cleared by a click. */
  readonly onBrush: (brush: Brush | undefined) => void;
  /** Controls of the timeline, at the right of its title. */
  readonly children?: ReactNode;
}

const HEIGHT_PX = 132;
/** A shorter drag is a click. */
const LEAST_BRUSH_PX = 5;
/** Between two values of the axis: so low that the smallest chart shows one beside 0. */
const LEAST_TICK_PX = 24;
/** 1, 2 and 5, and ten times, a hundred times and more of each. */
const WHOLE_STEPS = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();
const FONT = '11px Inter, ui-sans-serif, system-ui, sans-serif';
/** Told apart by lightness and dash as well as by hue. */
const STROKES = [
  { light: '#17171b', dark: '#ededf1' },
  { light: '#2f6fb3', dark: '#6fb0f2' },
  { light: '#1c7d68', dark: '#4cc3a8' },
  { light: '#8a6d00', dark: '#d6b23c' },
  { light: '#a8425a', dark: '#f08da2' },
  { light: '#767682', dark: '#888894' },
] as const;

/** The value over time, with a line where a revision was deployed. Dragging chooses the part whose samples are shown. */
export function Timeline({ times, axis, heightPx = HEIGHT_PX, brush, onBrush, children }: TimelineProps) {
  const scheme = useComputedColorScheme('light');
  const host = useRef<HTMLDivElement>(null);
  const [widthPx, setWidthPx] = useState(0);
  const latest = useRef({ brush, onBrush });
  const plot = useRef<uPlot>(undefined);

  useEffect(() => {
    const observer = new ResizeObserver(() => setWidthPx(host.current!.clientWidth));
    observer.observe(host.current!);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (widthPx === 0) return;
    const style = getComputedStyle(document.documentElement);
    const color = (token: string) => style.getPropertyValue(token).trim();
    const lines = { stroke: color('--dim'), font: FONT, grid: { stroke: color('--line'), width: 1 }, ticks: { show: false } };
    const { fromMs, untilMs } = times.selection;
    const made = new uPlot(
      {
        width: widthPx,
        height: heightPx,
        padding: [16, 20, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
        scales: {
          x: { time: true, range: [fromMs / 1000, untilMs / 1000] },
          y: { range: (_, __, high) => [0, (axis.isCount ? Math.max(1, high) : high || 1) * 1.1] },
        },
        axes: [
          { ...lines, size: 24, space: 72, values: (_, ticks) => ticks.map((tick) => tickText(tick, untilMs - fromMs)) },
          {
            ...lines,
            size: 56,
            space: LEAST_TICK_PX,
            values: (_, ticks) => ticks.map((tick) => (tick === 0 ? '0' : formatNumber(tick))),
            ...(axis.isCount ? { incrs: WHOLE_STEPS } : {}),
          },
        ],
        series: [
          {},
          ...axis.series.map(({ key }, index) => ({
            label: key,
            stroke: STROKES[index]![scheme],
            width: 1.5,
            points: { show: false },
            ...(axis.series.length === 1 ? { fill: color('--hovered') } : {}),
          })),
        ],
        hooks: {
          // Only now are there scales to place it by.
          ready: [(self) => showBrush(self, latest.current.brush)],
          draw: [(self) => drawDeploys(self, times, color('--text'), color('--ground'))],
          setSelect: [
            (self) => {
              if (self.select.width < LEAST_BRUSH_PX) return latest.current.onBrush(undefined);
              const at = (x: number) => Math.round(self.posToVal(x, 'x') * 1000);
              latest.current.onBrush({
                fromMs: Math.max(fromMs, at(self.select.left)),
                untilMs: Math.min(untilMs, at(self.select.left + self.select.width)),
              });
            },
          ],
          setCursor: [
            (self) =>
              showReading(
                self,
                axis.series.map(({ key }) => key),
              ),
          ],
        },
      },
      [times.startsMs.map((atMs) => atMs / 1000), ...axis.series.map(({ values }) => [...values])],
      host.current!,
    );
    const reading = document.createElement('div');
    reading.className = styles['reading']!;
    made.over.append(reading);
    plot.current = made;
    return () => made.destroy();
  }, [times, axis, heightPx, scheme, widthPx]);

  useEffect(() => {
    latest.current = { brush, onBrush };
    if (plot.current) showBrush(plot.current, brush);
  }, [brush, onBrush]);

  return (
    <figure className={styles['timeline']} aria-label={`${axis.title} over time; ${times.deploys.length} deploys`}>
      <figcaption className={styles['caption']}>
        <span>{axis.title}</span>
        {axis.series.length > 1 &&
          axis.series.map(({ key }, index) => (
            <span key={key} className={styles['key']}>
              <i style={{ background: STROKES[index]![scheme] }} />
              {key === '' ? '(none)' : shortRevision(key)}
            </span>
          ))}
        {children !== undefined && <div className={styles['tools']}>{children}</div>}
      </figcaption>
      <div ref={host} className={styles['plot']} style={{ height: heightPx }} />
    </figure>
  );
}

/** One line for a tick, in the 24 hours of every other clock of the dashboard. */
function tickText(atSeconds: number, rangeMs: number): string {
  const at = new Date(atSeconds * 1000);
  const clock = formatClock(at.getTime());
  if (rangeMs < 600_000) return clock;
  return rangeMs > 2 * 86_400_000 ? formatMoment(at.getTime()).slice(0, -9) : clock.slice(0, 5);
}

function showBrush(plot: uPlot, brush: Brush | undefined): void {
  const left = brush ? plot.valToPos(brush.fromMs / 1000, 'x') : 0;
  const width = brush ? plot.valToPos(brush.untilMs / 1000, 'x') - left : 0;
  plot.setSelect({ left, width, top: 0, height: brush ? plot.over.clientHeight : 0 }, false);
}

function showReading(plot: uPlot, keys: readonly string[]): void {
  const reading = plot.over.lastElementChild as HTMLElement | null;
  const index = plot.cursor.idx;
  if (!reading?.classList.contains(styles['reading']!)) return;
  if (index === null || index === undefined) {
    reading.textContent = '';
    return;
  }
  const values = keys.map(
    (key, series) =>
      `${keys.length > 1 ? `${key === '' ? '(none)' : shortRevision(key)} ` : ''}${formatNumber(plot.data[series + 1]![index] ?? Number.NaN)}`,
  );
  reading.textContent = `${formatMoment(plot.data[0][index]! * 1000)}   ${values.join('   ')}`;
}

/** A dashed line and the revision, where one was deployed. Names that would overlap are left out, lines never. */
function drawDeploys(plot: uPlot, { deploys, selection }: TimelineTimes, ink: string, ground: string): void {
  const { ctx: context, bbox } = plot;
  const ratio = uPlot.pxRatio;
  context.save();
  context.font = `${11 * ratio}px Inter, ui-sans-serif, system-ui, sans-serif`;
  context.textBaseline = 'top';
  context.textAlign = 'left';
  context.strokeStyle = ink;
  context.lineWidth = ratio;
  let freeFrom = -Infinity;
  for (const deploy of [...deploys].sort((a, b) => a.atMs - b.atMs)) {
    if (deploy.atMs < selection.fromMs || deploy.atMs >= selection.untilMs) continue;
    const x = plot.valToPos(deploy.atMs / 1000, 'x', true);
    context.setLineDash([3 * ratio, 3 * ratio]);
    context.beginPath();
    context.moveTo(x, bbox.top - 14 * ratio);
    context.lineTo(x, bbox.top + bbox.height);
    context.stroke();
    const text = `▾ ${visibleText(deploy.version) || shortRevision(deploy.revision)}`;
    const width = context.measureText(text).width;
    const left = Math.min(x + 3 * ratio, bbox.left + bbox.width - width);
    if (left < freeFrom) continue;
    context.fillStyle = ground;
    context.fillRect(left, bbox.top - 15 * ratio, width, 13 * ratio);
    context.fillStyle = ink;
    context.fillText(text, left, bbox.top - 14 * ratio);
    freeFrom = left + width + 8 * ratio;
  }
  context.restore();
}
