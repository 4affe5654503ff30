import { compare, type ComparisonResult } from '@hearth/profile-diff';
import { profileFromText } from '@hearth/profile-model/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InterruptedResolver } from '../../../../../test/support/interrupted-resolver.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { sealWindows } from '../../../../../test/support/seal-windows.js';
import { Catalog } from '../catalog/index.js';
import { LEVELS, WindowRepository } from '../profile-store/index.js';
import { Cover } from '../rollup/index.js';
import { SelectionResolver } from '../selection/index.js';
import { MinifiedCode } from '../source-maps/index.js';
import { TransactionWindows } from '../transactions/index.js';
import { buildComparisonInput, type SideRows } from './build-comparison-input.js';
import { ComparisonSides } from './comparison-sides.js';

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const PROJECT = 1;
/** An hour in the middle of a day that late profiles are still accepted for. */
const H = Math.floor(Date.now() / DAY) * DAY - 5 * DAY + 12 * HOUR;
const profile = profileFromText(`
  4000x4                 1000x1
  {transaction=GET /}    {}
  main                   main
  read                   wait
`);

let postgres: TestPostgres;
let server: QueryServer;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await QueryServer.start(await postgres.createDatabase(), 'all');
  for (const revision of ['r1', 'r2'])
    for (let flush = 0; flush < 10; flush += 1)
      await server.store({
        revision,
        process: `${revision}a`,
        startMs: H + flush * 6 * MINUTE,
        profiles: [profile],
        transactions: [{ labels: { transaction: 'GET /' }, durationsMicros: [1000] }],
      });
});
/** The day before the one of `H`, and the one before that. */
const [D1, D2] = [H - DAY, H - 2 * DAY];

/** Four processes of one release on some days: all cost the same, whenever they run. */
async function storeDays(revision: string, daysMs: readonly number[]): Promise<void> {
  for (const dayMs of daysMs)
    for (let row = 0; row < 4 * 6; row += 1) {
      const micros = 400_000 + 2000 * ((row * 7) % 5);
      await server.store({
        revision,
        process: `${revision}-${row % 4}`,
        startMs: dayMs + row * MINUTE,
        profiles: [
          profileFromText(`
            ${micros}x40              90000x9                   50000x5
            {transaction=GET /}       {transaction=GET /}       {}
            main                      main                      main
            read                      write                     wait
          `),
        ],
        transactions: [{ labels: { transaction: 'GET /' }, durationsMicros: Array.from({ length: 50 }, () => 4000) }],
      });
    }
}
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});

const sidesOf = (resolver = server.app.get(SelectionResolver, { strict: false })) =>
  new ComparisonSides(
    resolver,
    server.app.get(Catalog, { strict: false }),
    server.app.get(Cover, { strict: false }),
    server.app.get(TransactionWindows, { strict: false }),
    server.app.get(WindowRepository, { strict: false }),
    server.app.get(MinifiedCode, { strict: false }),
  );

/** Both releases over one range, as a worker gathers them. */
async function gather({ fromMs, untilMs }: { fromMs: number; untilMs: number }, sides = sidesOf()) {
  const side = (revision: string) => ({ service: 'shop', type: 'cpu', revision, from: String(fromMs), until: String(untilMs) });
  const asked = await sidesOf().identify(PROJECT, { baseline: side('r1'), candidate: side('r2') });
  return sides.gather(asked, new AbortController().signal);
}
const sum = (column: ArrayLike<number>) => Array.from(column).reduce((all, one) => all + one, 0);
const figures = ({ fromMs, untilMs, samples, counts }: SideRows) => ({
  range: [fromMs, untilMs],
  samples: sum(samples.count),
  transactions: sum(counts.map(({ count }) => count)),
});

describe('the sides of a comparison', () => {
  it('may be as long as a question, though whole minutes make them longer', async () => {
    const untilMs = H + HOUR + 30_000;
    const { baseline } = await gather({ fromMs: untilMs - 31 * DAY, untilMs });
    expect(figures(baseline)).toEqual({
      range: [H + HOUR - 31 * DAY, H + HOUR + MINUTE],
      samples: 50,
      transactions: 10,
    });
  });

  it('count the transactions of the range whose samples they read, when that grows meanwhile', async () => {
    const cut = { fromMs: H + 5 * MINUTE, untilMs: H + 50 * MINUTE };
    const before = await gather(cut);
    expect(figures(before.baseline)).toEqual({ range: [cut.fromMs, cut.untilMs], samples: 40, transactions: 8 });
    const interrupted = sidesOf(new InterruptedResolver(server, () => sealWindows(server, LEVELS.hour)));
    const { baseline, candidate } = await gather(cut, interrupted);
    for (const side of [baseline, candidate])
      expect(figures(side)).toEqual({ range: [H, H + HOUR], samples: 50, transactions: 10 });
  });
});

describe('a comparison whose transactions have expired in part', () => {
  beforeAll(async () => {
    await storeDays('both-days', [D2, D1]);
    await storeDays('last-day', [D1]);
  });
  const compareDays = async (fromMs: number) => {
    const side = (revision: string) => ({
      service: 'shop',
      type: 'cpu',
      revision,
      from: String(fromMs),
      until: String(D1 + HOUR),
    });
    const asked = await sidesOf().identify(PROJECT, { baseline: side('both-days'), candidate: side('last-day') });
    return compare(buildComparisonInput(await sidesOf().gather(asked, new AbortController().signal)));
  };
  const told = ({ functions }: ComparisonResult) =>
    functions.map(({ change }) => change.verdict).filter((one) => one !== 'UNCHANGED');

  it('divides no costs by counts that are only a part of theirs', async () => {
    const whole = await compareDays(D2);
    expect(whole.basis).toBe('per-transaction');
    expect(told(whole)).not.toContain('IMPROVED');

    const { partitions } = server.app.get(TransactionWindows, { strict: false });
    const first = (await partitions.list()).find(({ startMs, endMs }) => startMs <= D2 && D2 < endMs)!;
    expect(await partitions.drop(first, async () => true)).toBe('dropped');

    const cut = await compareDays(D2);
    expect(told(cut)).not.toContain('IMPROVED');
    expect(cut).toMatchObject({ basis: 'tmm', warnings: [{ code: 'TRANSACTIONS_EXPIRED' }] });
    // What is kept is enough for those who ask for no more.
    expect(await compareDays(D1)).toMatchObject({ basis: 'per-transaction', warnings: [] });
  });
});
