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
import { TransactionWindows } from '../transactions/index.js';
import type { SideRows } from './build-comparison-input.js';
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
