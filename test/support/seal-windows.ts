import { Catalog } from '../../apps/server/src/features/catalog/index.js';
import { LEVELS, WindowRepository, type UpperLevel } from '../../apps/server/src/features/profile-store/index.js';
import { SegmentBuilder, UpperBuilder } from '../../apps/server/src/features/rollup/index.js';
import type { QueryServer } from './query-server.js';
import { until } from './until.js';

const UPPER = [LEVELS.hour, LEVELS.day] as const;

/** Builds everything, beside the server's own workers if it has some, and seals one level of the first service. */
export async function sealWindows({ app }: QueryServer, level: UpperLevel): Promise<void> {
  const windows = app.get(WindowRepository, { strict: false });
  const segments = app.get(SegmentBuilder, { strict: false });
  const upper = app.get(UpperBuilder, { strict: false });
  const [service] = await app.get(Catalog, { strict: false }).services(1);
  const ofService = { beforeMs: Number.MAX_SAFE_INTEGER, serviceIds: [service!.id] };
  await until(async () => {
    let left = 0;
    for (const key of await windows.listPending(Number.MAX_SAFE_INTEGER, 1000)) await segments.build(key);
    for (const one of UPPER)
      for (const key of await windows.listPending(Number.MAX_SAFE_INTEGER, 1000, one)) await upper.build(one, key);
    for (const key of await windows.listSealable(level, ofService, 1000)) await upper.seal(level, key);
    // Another builder may have been at work on what we found.
    for (const one of [undefined, ...UPPER]) left += (await windows.listPending(Number.MAX_SAFE_INTEGER, 1, one)).length;
    left += (await windows.listSealable(level, ofService, 1)).length;
    return left === 0 || undefined;
  });
}
