import { expect } from 'vitest';
import { functionsRootFirst } from '@hearth/profile-model';
import { DAY_MS, HOUR_MS, WINDOW_MS, windowStart } from '../../apps/server/src/features/profile-store/index.js';
import type { Cover, CoverQuery } from '../../apps/server/src/features/rollup/cover.js';
import { END, SERVICE, START, type RawFlush, type RawSample } from './raw-flushes.js';
import { storeFlush, type RollupServer } from './rollup-server.js';
import { until } from './until.js';

interface Range {
  readonly fromMs: number;
  readonly untilMs: number;
}

const selected = (flushes: readonly RawFlush[], query: CoverQuery) =>
  flushes.filter(
    (flush) =>
      flush.profileTypeId === query.profileTypeId &&
      flush.startMs >= query.fromMs &&
      flush.startMs < query.untilMs &&
      (query.environmentIds?.includes(flush.environmentId) ?? true) &&
      (query.revisionIds?.includes(flush.revisionId) ?? true) &&
      (query.processIds?.includes(flush.processId) ?? true),
  );
const samplesOf = (flush: RawFlush, query: CoverQuery) =>
  flush.samples.filter((one) => query.labelSetIds?.includes(one.labelSetId) ?? true);

/** How long each process was profiled: several profiles of one flush cover its time once. */
function observedOf(flushes: readonly RawFlush[]): Record<number, number> {
  const longest = new Map<string, RawFlush>();
  for (const flush of flushes) {
    const key = `${flush.processId} ${flush.startMs}`;
    if ((longest.get(key)?.durationMs ?? -1) < flush.durationMs) longest.set(key, flush);
  }
  const sums: Record<number, number> = {};
  for (const { processId, durationMs } of longest.values()) sums[processId] = (sums[processId] ?? 0) + durationMs;
  return sums;
}

export function expectedMerged(flushes: readonly RawFlush[], query: CoverQuery) {
  const byPath = new Map<string, number>();
  let [sum, samples] = [0, 0];
  for (const flush of selected(flushes, query)) {
    for (const { path, value, count } of samplesOf(flush, query)) {
      byPath.set(path, (byPath.get(path) ?? 0) + value);
      sum += value;
      samples += count;
    }
  }
  const range = { fromMs: query.fromMs, untilMs: query.untilMs };
  return { byPath: Object.fromEntries([...byPath].filter(([, value]) => value > 0)), sum, samples, range };
}

export async function actualMerged(server: RollupServer, query: CoverQuery) {
  const { functions, stacks, self, rootSelf, sum, samples, range } = await server.cover.merged(query);
  const byPath = new Map<string, number>(rootSelf > 0 ? [['', rootSelf]] : []);
  self.forEach((value, id) => {
    if (value > 0)
      byPath.set(
        functionsRootFirst(stacks, id)
          .map((row) => functions.name[row])
          .join('>'),
        value,
      );
  });
  return { byPath: Object.fromEntries(byPath), sum, samples, range };
}

function randomQuery(random: () => number, span: Range): CoverQuery {
  const below = (limit: number) => Math.floor(random() * limit);
  const some = (limit: number) => (random() < 0.6 ? undefined : Array.from({ length: 1 + below(2) }, () => 1 + below(limit)));
  const aligned = (at: number) => windowStart(at, [1, WINDOW_MS, HOUR_MS, DAY_MS][below(4)]);
  const fromMs = random() < 0.4 ? span.fromMs : aligned(span.fromMs + below(span.untilMs - span.fromMs));
  const untilMs = random() < 0.4 ? span.untilMs : fromMs + 1 + below(span.untilMs - fromMs);
  return {
    serviceId: SERVICE,
    profileTypeId: 1 + below(2),
    fromMs,
    untilMs: Math.max(fromMs + 1, random() < 0.5 ? aligned(untilMs) : untilMs),
    environmentIds: some(2),
    revisionIds: some(2),
    processIds: some(4),
    labelSetIds: some(5),
  };
}

/** What a selection may be cut into, by what is sealed: told from the tables, not by the code that plans reads. */
async function expectedResolution(server: RollupServer, query: CoverQuery): Promise<{ range: Range; windowMs: number }> {
  const sealedStarts = async (table: string, isSealed: string) => {
    const rows = (await server.dataSource.query(
      `SELECT DISTINCT window_start_ms AS start FROM ${table} WHERE ${isSealed} AND service_id = $1 AND profile_type_id = $2
         AND ($3::bigint[] IS NULL OR environment_id = ANY ($3)) AND ($4::bigint[] IS NULL OR revision_id = ANY ($4))`,
      [query.serviceId, query.profileTypeId, query.environmentIds ?? null, query.revisionIds ?? null],
    )) as { start: number }[];
    return rows.map(({ start }) => start);
  };
  let { fromMs, untilMs } = query;
  let windowMs: number = WINDOW_MS;
  for (const [table, isSealed, lengthMs] of [
    ['hour_window', 'is_sealed', HOUR_MS],
    ['day_window', 'is_sealed', DAY_MS],
    ['pinned_totals', 'true', DAY_MS],
  ] as const) {
    for (const start of await sealedStarts(table, isSealed)) {
      if (start >= untilMs || start + lengthMs <= fromMs) continue;
      fromMs = Math.min(fromMs, start);
      untilMs = Math.max(untilMs, start + lengthMs);
      windowMs = lengthMs;
    }
  }
  return { range: { fromMs, untilMs }, windowMs };
}

/** Asks for everything about one random selection, and for the same of the raw profiles. */
export async function checkCover(
  server: RollupServer,
  flushes: readonly RawFlush[],
  random: () => number,
  span: Range = { fromMs: START, untilMs: END },
): Promise<void> {
  const asked = randomQuery(random, span);
  const resolution = await expectedResolution(server, asked);
  expect(await server.cover.resolution({ ...asked, profileTypeIds: [asked.profileTypeId] })).toEqual(resolution);
  const query = { ...asked, ...resolution.range };
  expect({ asked, ...(await actualMerged(server, asked)) }).toEqual({ asked, ...expectedMerged(flushes, query) });

  const stepsMs =
    span.untilMs - span.fromMs > HOUR_MS ? [60_000, 600_000, HOUR_MS, 6 * HOUR_MS, DAY_MS] : [10_000, 30_000, 60_000, 120_000];
  const stepMs = stepsMs[Math.floor(random() * stepsMs.length)]!;
  if (resolution.windowMs > WINDOW_MS && stepMs % resolution.windowMs !== 0) {
    await expect(server.cover.steps(asked, stepMs, 'none')).rejects.toMatchObject({ code: 'STEP_EXPIRED' });
  } else {
    await checkSteps(server, flushes, query, stepMs);
  }
  await checkByProcess(server, flushes, query, resolution.windowMs);
}

async function checkSteps(server: RollupServer, flushes: readonly RawFlush[], query: CoverQuery, stepMs: number): Promise<void> {
  const byRevision = await server.cover.steps(query, stepMs, 'revision');
  const byProcess = await server.cover.steps(query, stepMs, 'process');
  const byLabel = await server.cover.steps(
    query,
    stepMs,
    new Map([
      [1, 10],
      [2, 10],
      [3, 20],
    ]),
  );
  const whole = await server.cover.steps(query, stepMs, 'none');
  const stepOf = (startMs: number) => Math.floor(startMs / stepMs) * stepMs;
  const steps = (groupOf: (flush: RawFlush, sample: RawSample) => number) => {
    const sums: Record<string, number> = {};
    for (const flush of selected(flushes, query)) {
      for (const sample of samplesOf(flush, query)) {
        const key = `${groupOf(flush, sample)} ${stepOf(flush.startMs)}`;
        sums[key] = (sums[key] ?? 0) + sample.value;
      }
    }
    return Object.fromEntries(Object.entries(sums).filter(([, value]) => value > 0));
  };
  const actual = ({ startsMs, groups, values }: Awaited<ReturnType<Cover['steps']>>) => {
    expect(startsMs[0]).toBe(stepOf(query.fromMs));
    return Object.fromEntries(
      groups
        .flatMap((group, row) => startsMs.map((start, step) => [`${group} ${start}`, values[row]![step]!] as const))
        .filter(([, value]) => value > 0),
    );
  };
  expect(actual(whole)).toEqual(steps(() => 0));
  expect(actual(byRevision)).toEqual(steps((flush) => flush.revisionId));
  expect(actual(byProcess)).toEqual(steps((flush) => flush.processId));
  expect(actual(byLabel)).toEqual(steps((_, { labelSetId }) => (labelSetId < 3 ? 10 : labelSetId === 3 ? 20 : -1)));
}

async function checkByProcess(
  server: RollupServer,
  flushes: readonly RawFlush[],
  query: CoverQuery,
  windowMs: number,
): Promise<void> {
  const rows = await server.cover.byProcess(
    query,
    new Map([
      [1, 0],
      [2, 1],
    ]),
  );
  expect(rows.windowMs).toBe(windowMs);
  const { functions, stacks } = rows;
  const sums: Record<string, [value: number, count: number]> = {};
  const add = (into: typeof sums, key: string, value: number, count: number) => {
    const sum = (into[key] ??= [0, 0]);
    sum[0] += value;
    sum[1] += count;
  };
  rows.processId.forEach((processId, row) => {
    const path =
      rows.stackId[row]! < 0
        ? ''
        : functionsRootFirst(stacks, rows.stackId[row]!)
            .map((one) => functions.name[one])
            .join('>');
    add(sums, `${processId} ${rows.windowStartMs[row]} ${rows.group[row]} ${path}`, rows.value[row]!, rows.count[row]!);
  });
  const expected: typeof sums = {};
  for (const flush of selected(flushes, query)) {
    for (const { path, labelSetId, value, count } of samplesOf(flush, query)) {
      const startMs = windowStart(flush.startMs, windowMs);
      add(expected, `${flush.processId} ${startMs} ${labelSetId < 3 ? labelSetId - 1 : -1} ${path}`, value, count);
    }
  }
  expect(sums).toEqual(expected);
  expect(Object.fromEntries(Array.from(rows.observed.processId, (id, row) => [id, rows.observed.observedMs[row]]))).toEqual(
    observedOf(selected(flushes, query)),
  );
}

/**
 * Stores flushes, one after the other, while each of `works` and `reads` is done again and again. Readers keep pace, however fast the writer is.
 *
 * @returns How often something was read.
 */
export async function repeatWhileStoring(
  flushes: readonly RawFlush[],
  store: (flush: RawFlush) => Promise<void>,
  works: readonly (() => Promise<void>)[],
  reads: readonly (() => Promise<void>)[],
): Promise<number> {
  let isOver = false;
  let readCount = 0;
  const write = async () => {
    for (const [at, flush] of flushes.entries()) {
      await store(flush);
      const readBefore = readCount;
      if (at % 10 === 0) await until(async () => readCount > readBefore + 1 || undefined);
    }
    isOver = true;
  };
  const repeat = async (work: () => Promise<void>) => {
    while (!isOver) await work();
  };
  const countedReads = reads.map((read) => async () => {
    await read();
    readCount += 1;
  });
  await Promise.all([write(), ...[...works, ...countedReads].map(repeat)]);
  return readCount;
}

/**
 * Stores flushes through either server in any order, while both do `work` again and again and are read all the time. Fails for an answer with less
 * than what was stored before it, or more than was begun.
 *
 * @returns Answers.
 */
export async function checkWhileStoring(
  servers: readonly [RollupServer, RollupServer],
  flushes: readonly RawFlush[],
  query: CoverQuery,
  random: () => number,
  work: (server: RollupServer) => Promise<void>,
): Promise<number> {
  let [acknowledged, begun] = [0, 0];
  const store = async (flush: RawFlush) => {
    const value = flush.samples.reduce((sum, one) => sum + one.value, 0);
    begun += value;
    await storeFlush(servers[random() < 0.5 ? 0 : 1], flush);
    acknowledged += value;
  };
  const read = async (server: RollupServer) => {
    const least = acknowledged;
    const { sum } = await server.cover.merged(query);
    expect(sum).toBeGreaterThanOrEqual(least);
    expect(sum).toBeLessThanOrEqual(begun);
  };
  return repeatWhileStoring(
    [...flushes].sort(() => random() - 0.5),
    store,
    servers.map((server) => async () => work(server)),
    servers.map((server) => async () => read(server)),
  );
}
