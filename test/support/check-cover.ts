import { expect } from 'vitest';
import { functionsRootFirst } from '@hearth/profile-model';
import { windowStart } from '../../apps/server/src/features/profile-store/index.js';
import type { Cover, CoverQuery } from '../../apps/server/src/features/rollup/cover.js';
import { END, MINUTES, SERVICE, START, type RawFlush, type RawSample } from './raw-flushes.js';
import type { RollupServer } from './rollup-server.js';

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

export function expectedMerged(flushes: readonly RawFlush[], query: CoverQuery) {
  const byPath = new Map<string, number>();
  let [sum, samples, observedMs] = [0, 0, 0];
  for (const flush of selected(flushes, query)) {
    observedMs += flush.durationMs;
    for (const { path, value, count } of samplesOf(flush, query)) {
      byPath.set(path, (byPath.get(path) ?? 0) + value);
      sum += value;
      samples += count;
    }
  }
  return { byPath: Object.fromEntries([...byPath].filter(([, value]) => value > 0)), sum, samples, observedMs };
}

export async function actualMerged(server: RollupServer, query: CoverQuery) {
  const { functions, stacks, self, rootSelf, sum, samples, observedMs } = await server.cover.merged(query);
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
  return { byPath: Object.fromEntries(byPath), sum, samples, observedMs };
}

function randomQuery(random: () => number): CoverQuery {
  const below = (limit: number) => Math.floor(random() * limit);
  const some = (limit: number) => (random() < 0.6 ? undefined : Array.from({ length: 1 + below(2) }, () => 1 + below(limit)));
  const fromMs = random() < 0.4 ? START : START + below(MINUTES * 60_000);
  const untilMs = random() < 0.4 ? END : fromMs + 1 + below(END - fromMs);
  return {
    serviceId: SERVICE,
    profileTypeId: 1 + below(2),
    fromMs,
    untilMs,
    environmentIds: some(2),
    revisionIds: some(2),
    processIds: some(4),
    labelSetIds: some(5),
  };
}

/** Asks for everything about one random selection, and for the same of the raw profiles. */
export async function checkCover(server: RollupServer, flushes: readonly RawFlush[], random: () => number): Promise<void> {
  const query = randomQuery(random);
  expect({ query, ...(await actualMerged(server, query)) }).toEqual({ query, ...expectedMerged(flushes, query) });

  const stepMs = [10_000, 30_000, 60_000, 120_000][Math.floor(random() * 4)]!;
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

  const grain = random() < 0.5 ? ('window' as const) : ('flush' as const);
  const rows = await server.cover.byProcess(
    query,
    new Map([
      [1, 0],
      [2, 1],
    ]),
    grain,
  );
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
  const observed: Record<number, number> = {};
  for (const flush of selected(flushes, query)) {
    observed[flush.processId] = (observed[flush.processId] ?? 0) + flush.durationMs;
    for (const { path, labelSetId, value, count } of samplesOf(flush, query)) {
      add(
        expected,
        `${flush.processId} ${grain === 'flush' ? flush.startMs : windowStart(flush.startMs)} ${labelSetId < 3 ? labelSetId - 1 : -1} ${path}`,
        value,
        count,
      );
    }
  }
  expect(sums).toEqual(expected);
  expect(Object.fromEntries(Array.from(rows.observed.processId, (id, row) => [id, rows.observed.observedMs[row]]))).toEqual(
    observed,
  );
}
