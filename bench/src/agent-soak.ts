/**
 * The agent for a long time: periods of one second, so that the profiler is stopped and started again thousands of times, beside the same
 * program without the agent. `-- agent-soak [--minutes 45]`. Writes docs/benchmarks/agent-soak-NODE.svg: memory of both after full collections.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { checkAttribution } from './agent/check-attribution.js';
import { Collector } from './agent/collector.js';
import { median, printFigures, progress, round } from './agent/figures.js';
import { runProgram } from './agent/run-program.js';
import type { SoakRow } from './agent/soak-host.js';
import { lineChartsSvg } from './soak/line-charts.js';
import { numberOption } from './store/number-option.js';

const minutes = numberOption('minutes', 45);
const OUT = new URL('../../docs/benchmarks/', import.meta.url);

const collector = await new Collector().open();
progress(`${minutes} minutes, until ${new Date(Date.now() + minutes * 60_000).toLocaleTimeString()}`);
const [on, off] = await Promise.all([
  runProgram<SoakRow[]>('soak-host.ts', [collector.url, String(minutes)]),
  runProgram<SoakRow[]>('soak-host.ts', ['off', String(minutes)]),
]);
const checked = checkAttribution(collector);
const { batches } = collector;
await collector.close();
writePicture();
printFigures({
  node: process.versions.node,
  minutes,
  profiler_restarts: batches.length,
  sequences_missing: batches.at(-1)!.sequence - batches.length,
  stuck_restarts: batches.reduce((sum, { report }) => sum + report.restartedSamplers, 0),
  checked_samples: checked.checked,
  wrong_pct: round((100 * checked.wrong) / checked.checked, 2),
  unlabelled_pct: round((100 * checked.unlabelled) / checked.checked, 2),
  heap_mb_second_fifth: round(late(on, 'heapMb', 0.2, 0.4), 2),
  heap_mb_last_fifth: round(late(on, 'heapMb', 0.8, 1), 2),
  heap_off_mb_second_fifth: round(late(off, 'heapMb', 0.2, 0.4), 2),
  heap_off_mb_last_fifth: round(late(off, 'heapMb', 0.8, 1), 2),
  other_mb_second_fifth: round(late(on, 'otherMb', 0.2, 0.4), 1),
  other_mb_last_fifth: round(late(on, 'otherMb', 0.8, 1), 1),
  other_off_mb_second_fifth: round(late(off, 'otherMb', 0.2, 0.4), 1),
  other_off_mb_last_fifth: round(late(off, 'otherMb', 0.8, 1), 1),
});

/** The median over a part of the time. */
function late(rows: readonly SoakRow[], what: 'heapMb' | 'otherMb', from: number, until: number): number {
  return median(rows.filter(({ minute }) => minute >= minutes * from && minute < minutes * until).map((row) => row[what]));
}

function writePicture(): void {
  const length = Math.min(on.length, off.length);
  const lines = (what: 'heapMb' | 'otherMb') => [
    { name: 'with the agent', values: on.slice(0, length).map((row) => row[what]) },
    { name: 'without', values: off.slice(0, length).map((row) => row[what]) },
  ];
  const svg = lineChartsSvg(
    `Memory after full collections, Node ${process.versions.node}, periods of one second: ${batches.length} restarts of the profiler`,
    on.slice(0, length).map(({ minute }) => minute),
    [
      { title: 'JavaScript heap (MB)', lines: lines('heapMb') },
      { title: 'Resident outside of it (MB)', lines: lines('otherMb') },
    ],
  );
  mkdirSync(OUT, { recursive: true });
  writeFileSync(new URL(`agent-soak-${process.versions.node.split('.')[0]}.svg`, OUT), svg);
}
