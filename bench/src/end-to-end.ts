/** From sample to screen: how old is a sample when somebody who looks at Explore can see it? docs/benchmarks.md */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { open, signInAs } from '../../test/dashboard/open-page.js';
import { launchBrowser } from '../../test/support/browser.js';
import { startTestServer } from '../../test/support/server.js';
import { printFigures, quantile, round } from './agent/figures.js';

const MARKS = 40;
/** No divisor of the agent's ten seconds, so that marks fall everywhere in a period. */
const EVERY_MS = 3_700;
const BURN_MS = 250;
const LOOK_EVERY_MS = 200;
/** A mark that is not seen by then counts with this age. */
const GIVE_UP_MS = 90_000;

const server = await startTestServer();
const browser = await launchBrowser();
const seenAfterMs = new Map<string, number>();
const endedMs = new Map<string, number>();
try {
  const host = fork(
    fileURLToPath(new URL('./end-to-end/marking-host.mjs', import.meta.url)),
    [EVERY_MS, BURN_MS, MARKS].map(String),
    {
      execArgv: ['--import', '@hearth/agent/preload'],
      env: { ...process.env, HEARTH_URL: server.url, HEARTH_KEY: server.key, HEARTH_SERVICE: 'marked', HEARTH_REVISION: 'r1' },
    },
  );
  host.on('message', (message) => {
    const mark = message as { name: string; endedMs: number };
    endedMs.set(mark.name, mark.endedMs);
  });
  await Promise.race([once(host, 'message'), once(host, 'exit')]);
  await sleep(20_000); // until the service is known
  const { page } = await signInAs(browser, server.url, 'light', { email: server.adminEmail, password: server.adminPassword });
  await page.setViewportSize({ width: 1400, height: 4_000 });
  await open(page, `${server.url}/explore?service=marked&view=table&from=now-5m&search=mark_`);
  const openedMs = Date.now();
  const lastEndMs = () => Math.max(...endedMs.values());
  while (seenAfterMs.size < MARKS && !(endedMs.size === MARKS && Date.now() - lastEndMs() > GIVE_UP_MS)) {
    const text = await page.locator('main').innerText();
    const nowMs = Date.now();
    for (const [name, atMs] of endedMs) if (!seenAfterMs.has(name) && text.includes(name)) seenAfterMs.set(name, nowMs - atMs);
    await sleep(LOOK_EVERY_MS);
  }
  host.disconnect();
  // Marks from before the page was open were waited for by nobody.
  const watched = [...endedMs]
    .filter(([, atMs]) => atMs > openedMs)
    .map(([name]) => (seenAfterMs.get(name) ?? GIVE_UP_MS) / 1000);
  printFigures({
    marks: watched.length,
    never_seen: [...endedMs].filter(([name, atMs]) => atMs > openedMs && !seenAfterMs.has(name)).length,
    freshness_s_p50: round(quantile(watched, 0.5), 1),
    freshness_s_p95: round(quantile(watched, 0.95), 1),
    freshness_s_max: round(Math.max(...watched), 1),
  });
} finally {
  await browser.close();
  await server.stop();
}
