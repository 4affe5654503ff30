/**
 * What the agent costs the service it runs in: CPU of the main thread per request with the agent on, as a share of that with it off,
 * switched every 350 ms in one process, of which there are three; the same in processes in which it stays on; how long a flush blocks the event loop, and its memory. Peers in the same run: nothing at
 * all (what the figures of this run are worth), an AsyncLocalStorage alone, and @pyroscope/nodejs with its labels.
 */
import { Collector } from './agent/collector.js';
import { median, printFigures, progress, quantile, round } from './agent/figures.js';
import { runProgram } from './agent/run-program.js';

const TYPICAL_MS = 0.8;
const WORST_MS = 0.1;
/** Of the agent by default; a flush is paid once in it. */
const PERIOD_MICROS = 10_000_000;
/** A period has three seconds: 40 flushes. V8 compiles the agent's code in the first ones, which are told apart. */
const FLUSH_SECONDS = 120;
const WARM_UP_FLUSHES = 10;
/** Of memory, with the agent and without it, side by side: they are equally old, because V8's spaces grow with age. */
const MEMORY_SECONDS = 60;
/** The server with nothing and with everything is as old when its memory is read. */
const SERVER_SECONDS = 22;

interface Slices {
  readonly pairs: readonly { readonly off: number; readonly on: number }[];
  readonly rssBytes: number;
}

type Case = readonly [what: string, workMs: number, seconds: number];

/** What is measured, its work per request in milliseconds, and for how many seconds. */
const CASES = {
  nothing: ['nothing', TYPICAL_MS, SERVER_SECONDS],
  sampler: ['hearth', TYPICAL_MS, SERVER_SECONDS],
  everything: ['hearth-tagged', TYPICAL_MS, SERVER_SECONDS],
  storage: ['async-local-storage', TYPICAL_MS, 10],
  pyroscope: ['pyroscope', TYPICAL_MS, 16],
  worst: ['hearth', WORST_MS, 18],
  worstStorage: ['async-local-storage', WORST_MS, 10],
  worstPyroscope: ['pyroscope', WORST_MS, 10],
} as const satisfies Record<string, Case>;
/** One process is compiled and laid out in one way, and its heap grows at moments of its own, which moves its figures by more than they differ within it. */
const PROCESSES = 3;

/** What stays on, with `WORST_MS` of work: a few microseconds are lost in more. */
const STEADY_CASES = { nothing: 'nothing', sampler: 'hearth', everything: 'hearth-tagged', pyroscope: 'pyroscope' } as const;
const STEADY_PROCESSES = 5;
const STEADY_SECONDS = 4;

progress('flushes');
const flush = await measureFlush();
const memoryBytes = await measureMemory();
const processes = await inTurns(namesOf(CASES), PROCESSES, (name) => measure(CASES[name]));
progress('what stays on');
const steady = await inTurns(namesOf(STEADY_CASES), STEADY_PROCESSES, (name) => measureSteady(STEADY_CASES[name]));
const nothing = together(processes.nothing);
const sampler = together(processes.sampler);
const everything = together(processes.everything);
const worst = together(processes.worst);
const flushPct = (flush.cpuMicros / PERIOD_MICROS) * 100;
printFigures({
  node: process.versions.node,
  aa_error_pct: round(Math.max(Math.abs(nothing.percent), nothing.error), 2),
  cpu_overhead_sampler_pct: round(sampler.percent + flushPct, 2),
  cpu_overhead_sampler_error_pct: round(sampler.error, 2),
  cpu_overhead_pct: round(everything.percent + flushPct, 2),
  cpu_overhead_error_pct: round(everything.error, 2),
  cpu_overhead_als_pct: round(together(processes.storage).percent, 2),
  cpu_overhead_pct_pyroscope: round(together(processes.pyroscope).percent, 2),
  cpu_overhead_worst_pct: round(worst.percent + flushPct, 2),
  cpu_overhead_worst_error_pct: round(worst.error, 2),
  cpu_overhead_worst_als_pct: round(together(processes.worstStorage).percent, 2),
  cpu_overhead_worst_pct_pyroscope: round(together(processes.worstPyroscope).percent, 2),
  request_cpu_micros: round(sampler.offMicros, 0),
  request_cpu_worst_micros: round(worst.offMicros, 0),
  steady_request_cpu_micros: round(median(steady.nothing), 1),
  steady_sampler_micros: round(median(steady.sampler) - median(steady.nothing), 1),
  steady_everything_micros: round(median(steady.everything) - median(steady.nothing), 1),
  steady_pyroscope_micros: round(median(steady.pyroscope) - median(steady.nothing), 1),
  flush_nodes: flush.nodes,
  flush_block_ms_p50: round(median(flush.blockMicros) / 1000, 2),
  flush_block_ms_p95: round(quantile(flush.blockMicros, 0.95) / 1000, 2),
  flush_block_warm_up_ms_p50: round(median(flush.warmUpMicros) / 1000, 2),
  flush_cpu_ms: round(flush.cpuMicros / 1000, 2),
  rss_mb: round(median(memoryBytes) / 1024 ** 2, 1),
  each_rss_mb: memoryBytes.map((bytes) => round(bytes / 1024 ** 2, 1)).join(' '),
  rss_server_mb: round((everything.rssBytes - nothing.rssBytes) / 1024 ** 2, 1),
  ...Object.fromEntries(Object.entries(processes).map(([name, each]) => [`each_${name}_pct`, percentsOf(each).join(' ')])),
  ...Object.fromEntries(Object.entries(steady).map(([name, each]) => [`each_steady_${name}_micros`, each.join(' ')])),
});

function namesOf<Name extends string>(cases: Readonly<Record<Name, unknown>>): Name[] {
  return Object.keys(cases) as Name[];
}

interface CaseFigures {
  readonly percent: number;
  readonly error: number;
  readonly offMicros: number;
  readonly rssBytes: number;
}
/** Each in several processes, in turns: so the machine's moods are in all of them. */
async function inTurns<Name extends string, Figures>(
  names: readonly Name[],
  count: number,
  measureOne: (name: Name) => Promise<Figures>,
): Promise<Record<Name, Figures[]>> {
  const measured = Object.fromEntries(names.map((name) => [name, [] as Figures[]])) as Record<Name, Figures[]>;
  for (let at = 1; at <= count; at += 1) {
    for (const name of names) {
      progress(`${name}, process ${at} of ${count}`);
      measured[name].push(await measureOne(name));
    }
  }
  return measured;
}

/** Microseconds of CPU a request of one process. */
async function measureSteady(what: string): Promise<number> {
  const collector = await new Collector().open();
  const { micros } = await runProgram<{ micros: number }>('overhead-steady-host.ts', [
    what,
    String(WORST_MS),
    collector.url,
    String(STEADY_SECONDS),
  ]);
  await collector.close();
  return round(micros, 1);
}

/** Their median. Its error is half of their range, or that of one of them where that is more. */
function together(processes: readonly CaseFigures[]): CaseFigures {
  const percents = percentsOf(processes);
  const halfRange = (Math.max(...percents) - Math.min(...percents)) / 2;
  return {
    percent: median(percents),
    error: Math.max(halfRange, median(processes.map(({ error }) => error))),
    offMicros: median(processes.map(({ offMicros }) => offMicros)),
    rssBytes: median(processes.map(({ rssBytes }) => rssBytes)),
  };
}

/** Without the flushes. */
function percentsOf(processes: readonly CaseFigures[]): number[] {
  return processes.map(({ percent }) => round(percent, 2));
}

/** One process: the median of the pairs' ratios, and its standard error (of a median: 1.25 times that of a mean; spread by quartiles, so that a disturbed slice counts for one). */
async function measure([what, workMs, seconds]: Case): Promise<CaseFigures> {
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
}

async function measureFlush(): Promise<Flushes> {
  const collector = await new Collector().open();
  await runProgram('flush-host.ts', [collector.url, String(FLUSH_SECONDS)]);
  const blocked = collector.series('agent_flush_micros').slice(1); // each batch tells of the flush before it
  const cpuMicros = median(collector.series('agent_cpu_micros').slice(1 + WARM_UP_FLUSHES));
  const nodes = median(collector.series('agent_stack_count').slice(1));
  await collector.close();
  return {
    blockMicros: blocked.slice(WARM_UP_FLUSHES),
    warmUpMicros: blocked.slice(0, WARM_UP_FLUSHES),
    cpuMicros,
    nodes,
  };
}

/** What many stacks add to the resident memory, in bytes, by pair of processes. */
async function measureMemory(): Promise<number[]> {
  const added: number[] = [];
  for (let at = 1; at <= PROCESSES; at += 1) {
    progress(`memory, pair ${at} of ${PROCESSES}`);
    const collector = await new Collector().open();
    const run = (url: string): Promise<{ rssBytes: number }> => runProgram('flush-host.ts', [url, String(MEMORY_SECONDS)]);
    const [on, off] = await Promise.all([run(collector.url), run('off')]);
    await collector.close();
    added.push(on.rssBytes - off.rssBytes);
  }
  return added;
}
