import type { ProcessAnswer, RevisionAnswer, ServiceAnswer } from '@hearth/query-contract';
import { BASELINE, CANDIDATE, HOSTILE_NAMES, seeded } from './made-shop.js';

/** Who is asked: what the server may have been told since it started. */
export interface FixtureState {
  /** Services that were not there at first. */
  readonly extra: string[];
  readonly services: 'shop' | 'none';
}

/** What the API answers about who sends. */
export function services(nowMs: number, state: FixtureState): ServiceAnswer[] {
  const random = seeded(3);
  const made = (name: string, change: Partial<ServiceAnswer> = {}): ServiceAnswer => ({
    name,
    environments: ['production', 'staging'],
    profileTypes: ['cpu', 'wall', 'inuse_space'],
    firstSeenMs: nowMs - 9e8,
    lastSeenMs: nowMs - 4000,
    latestRevision: CANDIDATE,
    processesNow: 16,
    cpuCores: 6.42,
    rssBytes: 3.1e9,
    transactionsPerMinute: 6210,
    durationP95Micros: 48_200,
    cpuCoresByMinute: Array.from({ length: 30 }, (_, minute) => 5 + Math.sin(minute / 4) + random()),
    ...change,
  });
  const known =
    state.services === 'none'
      ? []
      : [
          made('shop'),
          made('shop-mailer', {
            environments: ['production'],
            processesNow: 2,
            cpuCores: 0.084,
            rssBytes: 210e6,
            transactionsPerMinute: 41,
            durationP95Micros: 812_000,
            latestRevision: BASELINE,
          }),
          made('billing', {
            environments: ['production'],
            processesNow: 4,
            cpuCores: 1.93,
            rssBytes: 890e6,
            transactionsPerMinute: 912,
            durationP95Micros: 122_000,
          }),
          made('pyroscope-client', {
            environments: [''],
            profileTypes: ['cpu', 'wall'],
            processesNow: 1,
            cpuCores: 0.31,
            rssBytes: null,
            transactionsPerMinute: null,
            durationP95Micros: null,
            latestRevision: null,
          }),
          made('old-reports', {
            lastSeenMs: nowMs - 3 * 86_400_000,
            processesNow: 0,
            cpuCores: 0,
            rssBytes: null,
            transactionsPerMinute: 0,
            durationP95Micros: null,
            cpuCoresByMinute: Array.from({ length: 30 }, () => 0),
          }),
          made('hostile', { environments: HOSTILE_NAMES.filter(Boolean).slice(0, 3), latestRevision: HOSTILE_NAMES[0]! }),
        ];
  return [
    ...known,
    ...state.extra.map((name) =>
      made(name, { firstSeenMs: nowMs - 1000, lastSeenMs: nowMs, environments: ['production'], processesNow: 1 }),
    ),
  ];
}

export function revisions(nowMs: number): RevisionAnswer[] {
  return [
    {
      revision: CANDIDATE,
      version: '2.0.0',
      firstSeenMs: nowMs - 1_500_000,
      lastSeenMs: nowMs - 3000,
      processes: 8,
      pinnedMs: null,
    },
    {
      revision: BASELINE,
      version: '1.9.3',
      firstSeenMs: nowMs - 7_200_000,
      lastSeenMs: nowMs - 3000,
      processes: 8,
      pinnedMs: nowMs - 60_000,
    },
  ];
}

export function processes(nowMs: number): ProcessAnswer[] {
  return Array.from({ length: 16 }, (_, index) => ({
    id: index.toString(16).padStart(32, '0'),
    startedAtMs: nowMs - 1_400_000 + index * 1000,
    lastSeenMs: nowMs - 2000,
    environment: 'production',
    revision: index % 2 === 0 ? BASELINE : CANDIDATE,
    host: `shop-${index}`,
    pid: 4000 + index,
    nodeVersion: 'v22.11.0',
    agentVersion: '0.1.0',
    rateHz: 99,
    droppedBatches: 0,
  }));
}
