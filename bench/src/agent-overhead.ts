/**
 * What the agent costs the service it runs in: CPU of the main thread per request with the agent on, as a share of that with it off,
 * switched every 350 ms in one process; and how long a flush blocks the event loop, and its memory. Peers in the same run: nothing at
 * all (what the figures of this run are worth), an AsyncLocalStorage alone, and @pyroscope/nodejs with its labels.
 */
import { Collector } from './agent/collector.js';
import { median, printFigures, quantile, round } from './agent/figures.js';
import { runProgram } from './agent/run-program.js';

const TYPICAL_MS = 0.8;
const WORST_MS = 0.1;
/** Of the agent by default; a flush is paid once in it. */
const PERIOD_MICROS = 10_000_000;
/** A period has three seconds: 40 flushes. V8 compiles the agent's code in the first ones, which are told apart. */
const FLUSH_SECONDS = 120;
const WARM_UP_FLUSHES = 10;
/** The server with nothing and with everything is as old when its memory is read. */
const SERVER_SECONDS = 22;

interface Slices {
  readonly pairs: readonly { readonly off: number; readonly on: number }[];
  readonly rssBytes: number;
}

const flush = await measureFlush();
const nothing = await measure('nothing', TYPICAL_MS, SERVER_SECONDS);
const sampler = await measure('hearth', TYPICAL_MS, 22);
const everything = await measure('hearth-tagged', TYPICAL_MS, SERVER_SECONDS);
const storage = await measure('async-local-storage', TYPICAL_MS, 10);
const pyroscope = await measure('pyroscope', TYPICAL_MS, 16);
const worst = await measure('hearth', WORST_MS, 18);
const worstStorage = await measure('async-local-storage', WORST_MS, 10);
const worstPyroscope = await measure('pyroscope', WORST_MS, 10);
const flushPct = (flush.cpuMicros / PERIOD_MICROS) * 100;
printFigures({
  node: process.versions.node,
  aa_error_pct: round(Math.max(Math.abs(nothing.percent), nothing.error), 2),
  cpu_overhead_sampler_pct: round(sampler.percent + flushPct, 2),
  cpu_overhead_sampler_error_pct: round(sampler.error, 2),
  cpu_overhead_pct: round(everything.percent + flushPct, 2),
  cpu_overhead_error_pct: round(everything.error, 2),
  cpu_overhead_als_pct: round(storage.percent, 2),
  cpu_overhead_pct_pyroscope: round(pyroscope.percent, 2),
  cpu_overhead_worst_pct: round(worst.percent + flushPct, 2),
  cpu_overhead_worst_error_pct: round(worst.error, 2),
  cpu_overhead_worst_als_pct: round(worstStorage.percent, 2),
  cpu_overhead_worst_pct_pyroscope: round(worstPyroscope.percent, 2),
  request_cpu_micros: round(sampler.offMicros, 0),
  request_cpu_worst_micros: round(worst.offMicros, 0),
  flush_nodes: flush.nodes,
  flush_block_ms_p50: round(median(flush.blockMicros) / 1000, 2),
  flush_block_ms_p95: round(quantile(flush.blockMicros, 0.95) / 1000, 2),
  flush_block_warm_up_ms_p50: round(median(flush.warmUpMicros) / 1000, 2),
  flush_cpu_ms: round(flush.cpuMicros / 1000, 2),
  rss_mb: round(flush.rssBytes / 1024 ** 2, 1),
  rss_server_mb: round((everything.rssBytes - nothing.rssBytes) / 1024 ** 2, 1),
});

/** The median of the pairs' ratios, and its standard error (of a median: 1.25 times that of a mean; spread by quartiles, so that a disturbed slice counts for one). */
async function measure(
  what: string,
  workMs: number,
  seconds: number,
): Promise<{ percent: number; error: number; offMicros: number; rssBytes: number }> {
  const collector = await new Collector().open();
  const { pairs, rssBytes } = await runProgram<Slices>('overhead-host.ts', [
    what,
    String(workMs),
    collector.url,
    String(seconds),
  ]);
  await collector.close();
  const percents = pairs.map(({ off, on }) => (on / off - 1) * 100);
  const spread = (quantile(percents, 0.75) - quantile(percents, 0.25)) / 1.349;
  return {
    percent: median(percents),
    error: (1.25 * spread) / Math.sqrt(percents.length),
    offMicros: median(pairs.map(({ off }) => off)),
    rssBytes,
  };
}

interface Flushes {
  /** How long the longest piece of each flush blocked the event loop. */
  readonly blockMicros: readonly number[];
  readonly warmUpMicros: readonly number[];
  /** Of the main thread, all pieces together. */
  readonly cpuMicros: number;
  readonly nodes: number;
  readonly rssBytes: number;
}

async function measureFlush(): Promise<Flushes> {
  const collector = await new Collector().open();
  const on = await runProgram<{ rssBytes: number }>('flush-host.ts', [collector.url, String(FLUSH_SECONDS)]);
  const off = await runProgram<{ rssBytes: number }>('flush-host.ts', ['off', String(FLUSH_SECONDS)]); // equally old: V8's spaces grow with age
  const blocked = collector.series('agent_flush_micros').slice(1); // each batch tells of the flush before it
  const cpuMicros = median(collector.series('agent_cpu_micros').slice(1 + WARM_UP_FLUSHES));
  const nodes = median(collector.series('agent_stack_count').slice(1));
  await collector.close();
  return {
    blockMicros: blocked.slice(WARM_UP_FLUSHES),
    warmUpMicros: blocked.slice(0, WARM_UP_FLUSHES),
    cpuMicros,
    nodes,
    rssBytes: on.rssBytes - off.rssBytes,
  };
}
