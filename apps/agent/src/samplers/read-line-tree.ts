import type { RawProfile } from './native-profiler.js';
import { IDLE } from './read-time-tree.js';
import type { ScopedSamples } from './scoped-samples.js';
import type { StackTables } from './stack-tables.js';
import { walkTree } from './walk-tree.js';

/**
 * One period of a profiler of lines as rows of stacks whose functions carry the line that ran, added to `tables`. Its samples know neither scope nor CPU: each that
 * was not idle gets an equal part of `cpuNanos`.
 *
 * @returns `unsharedCpuNanos`: all of it where no sample was busy; still to be given to somebody.
 */
export function readLineTree(
  raw: RawProfile,
  tables: StackTables,
  cpuNanos: number,
): { readonly rows: ScopedSamples[]; readonly unsharedCpuNanos: number } {
  const rows: ScopedSamples[] = [];
  let [samples, busySamples] = [0, 0];
  walkTree(raw.topDownRoot, tables, ({ name, hitCount }, stackRow) => {
    if (hitCount === 0) return;
    const isIdle = name === IDLE;
    samples += hitCount;
    if (!isIdle) busySamples += hitCount;
    rows.push({ stackRow, scope: undefined, count: hitCount, wallMicros: 0, cpuMicros: isIdle ? undefined : 0 });
  });
  const intervalMicros = (raw.endTime - raw.startTime) / samples;
  for (const row of rows) {
    row.wallMicros = row.count * intervalMicros;
    if (row.cpuMicros !== undefined) row.cpuMicros = (row.count / busySamples) * (cpuNanos / 1_000);
  }
  return { rows, unsharedCpuNanos: busySamples === 0 ? cpuNanos : 0 };
}
