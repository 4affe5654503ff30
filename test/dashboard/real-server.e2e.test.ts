import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { NO_PARENT, PROFILE_TYPE_IDS, labelSet } from '@hearth/profile-model';
import { encodeBatch, type Batch } from '@hearth/wire-format';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { madeExemplar } from '../support/exemplar-batch.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { open, settled, signInAs, type Visitor } from './open-page.js';
import { HOSTILE_NAMES } from './made-shop.js';

const SERVICE = 'corner "shop"';
const REVISIONS = ['1111111111111111111111111111111111111111', '2222222222222222222222222222222222222222'] as const;
/** In the second revision this function costs twice as much. */
const DEARER = 'computePrice';
const FUNCTIONS = ['main', DEARER, ...HOSTILE_NAMES.filter((name) => name !== '' && !name.includes('\0'))];
const FLUSH_MS = 10_000;
const FLUSHES = 30;

/** Ten seconds of one process: every function called by main, in the transaction `GET /price`. */
function madeBatch(revision: string, processId: string, sequence: number, startMs: number): Batch {
  const dearer = revision === REVISIONS[1] ? 2 : 1;
  const rows = FUNCTIONS.length;
  const value = FUNCTIONS.map((name, row) =>
    Math.round(
      (row === 0 ? 200_000 : name === DEARER ? 800_000 * dearer : 100_000) *
        (1 + 0.02 * ((sequence + row + processId.charCodeAt(0)) % 5)),
    ),
  );
  return {
    process: {
      id: processId,
      service: SERVICE,
      environment: 'production',
      startedAtMs: startMs - sequence * FLUSH_MS,
      host: 'host<1>',
      pid: 1,
      nodeVersion: 'v20.0.0',
      agentVersion: '0.1.0',
      rateHz: 99,
      revision,
      revisionSource: 'option',
      isDirty: false,
      version: revision === REVISIONS[1] ? '2.0.0' : '1.0.0',
      rootDir: '/srv/shop',
      labels: [],
    },
    sequence,
    startMs,
    durationMs: FLUSH_MS,
    functions: {
      length: rows,
      name: FUNCTIONS,
      scriptName: FUNCTIONS.map(() => '/srv/shop/src/price.js'),
      line: Uint32Array.from(FUNCTIONS, (_, row) => row + 1),
    },
    stacks: {
      length: rows,
      parent: Int32Array.from(FUNCTIONS, (_, row) => (row === 0 ? NO_PARENT : 0)),
      functionRow: Uint32Array.from(FUNCTIONS, (_, row) => row),
    },
    labelSets: [labelSet({ transaction: 'GET /price', plan: HOSTILE_NAMES[0]! })],
    profiles: [
      {
        typeId: PROFILE_TYPE_IDS.cpu,
        lines: 'definition',
        sampleStack: Int32Array.from(FUNCTIONS, (_, row) => row),
        sampleLabelSet: new Uint32Array(rows),
        sampleValue: Float64Array.from(value),
        sampleCount: Float64Array.from(value, (micros) => Math.round(micros / 10_000)),
      },
    ],
    transactions: [
      {
        labelSet: 0,
        kind: 'http',
        outcome: 'ok',
        count: 500,
        durationSumMicros: 5_000_000,
        sketchBucket: Int32Array.of(460),
        sketchCount: Float64Array.of(500),
      },
    ],
    series: [{ name: 'rss_bytes', value: 80e6 }],
    report: { droppedBatches: 0, droppedSamples: 0, lateLabels: 0, foldedLabelSets: 0, restartedSamplers: 0 },
    exemplars: [
      madeExemplar({
        kind: 'http',
        startMs,
        durationMicros: 50_000 + sequence,
        context: labelSet({ order: HOSTILE_NAMES[0]!, transaction: 'GET /price' }),
      }),
    ],
  };
}

async function sendFleet(server: TestServer): Promise<void> {
  const nowMs = Date.now() - FLUSH_MS;
  for (const [index, revision] of REVISIONS.entries()) {
    // The second release follows the first.
    const untilMs = nowMs - (REVISIONS.length - 1 - index) * FLUSHES * FLUSH_MS;
    for (let process = 0; process < 4; process += 1) {
      const id = randomBytes(16).toString('hex');
      const batches = Array.from({ length: FLUSHES }, (_, sequence) =>
        encodeBatch(madeBatch(revision, id, sequence, untilMs - (FLUSHES - sequence) * FLUSH_MS)),
      );
      const response = await fetch(`${server.url}/api/v1/batches`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${server.key}`,
          'content-type': 'application/vnd.hearth.batch',
          'content-encoding': 'gzip',
        },
        body: new Uint8Array(gzipSync(Buffer.concat(batches))),
      });
      expect(response.status, await response.text()).toBe(202);
    }
  }
}

describe('the dashboard of a running server', () => {
  let browser: Browser;
  let server: TestServer;
  let visitor: Visitor;
  let page: Page;
  beforeAll(async () => {
    server = await startTestServer();
    browser = await launchBrowser();
    visitor = await signInAs(browser, server.url, 'light', { email: server.adminEmail, password: server.adminPassword });
    page = visitor.page;
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  it('says what to do while there is nothing, and turns green at the first batch', async () => {
    await page.getByText('No service has sent anything yet').waitFor();
    await page.getByRole('main').getByRole('link', { name: 'Install the agent' }).click();
    await page.getByRole('button', { name: 'Create a key and fill it in' }).click();
    await page.getByText('It is shown only here and only now').waitFor();
    expect(await page.getByLabel('Start command').first().textContent()).not.toContain('<your ingest key>');
    await page.getByText('Waiting for the first batch').waitFor();
    await sendFleet(server);
    await page.getByText(`${SERVICE} is sending`).waitFor({ timeout: 15_000 });
  });

  it('serves the agent that its Install page names', async () => {
    const command = await page.getByLabel('Install command').first().textContent();
    const address = command!.replace('npm i ', '');
    expect(address).toBe(`${server.url}/install/agent.tgz`);
  });

  it('lists the service', async () => {
    await open(page, `${server.url}/services`);
    const row = page.getByRole('row').filter({ hasText: SERVICE });
    expect(await row.innerText()).toContain('production');
    expect(await row.innerText()).toContain('222222');
  });

  it('shows its profile, its timeline and its functions, names literally', async () => {
    await open(page, `${server.url}/explore?service=${encodeURIComponent(SERVICE)}&view=table`);
    const table = page.getByRole('table', { name: 'Functions' });
    await table.getByText(DEARER).waitFor();
    const text = await table.innerText();
    for (const name of ['<img src=x onerror="document.title=\'broken\'">', '__proto__', 'constructor', '🙂🔥 emoji'])
      expect(text).toContain(name);
    await page.getByRole('figure', { name: /CPU, cores over time/ }).waitFor();
    await page.getByText('Both', { exact: true }).click();
    await settled(page);
    await page.getByRole('tree').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await page.getByRole('treeitem', { selected: true }).textContent()).toContain(DEARER);
  });

  it('filters by a label with a hostile value', async () => {
    await page.getByRole('button', { name: '+ Label' }).click();
    await page.getByRole('combobox', { name: 'Label name' }).click();
    await page.getByRole('option', { name: /^plan/ }).click();
    await page.getByRole('combobox', { name: 'Label value' }).click();
    await page.getByRole('option', { name: '<img src=x' }).click();
    await page.getByRole('button', { name: 'Add' }).click();
    await settled(page);
    await page.getByText('plan = <img src=x').waitFor();
    await page.getByRole('table', { name: 'Functions' }).getByText(DEARER).waitFor();
  });

  it('ranks its transactions and shows one with its labels', async () => {
    await open(page, `${server.url}/transactions?service=${encodeURIComponent(SERVICE)}`);
    await page.getByRole('button', { name: 'GET /price' }).click();
    const labels = page.getByRole('region', { name: 'By plan' });
    await labels.getByText(HOSTILE_NAMES[0]!).waitFor();
  });

  it('opens one of its slow runs, in the order of time', async () => {
    const { context } = visitor;
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page
      .getByRole('button', { name: /^Run of 50/ })
      .first()
      .click();
    const run = page.getByRole('region', { name: /^Run of 50/ });
    await run.getByText('2 samples. A run of 50').waitFor();
    await run.getByRole('list', { name: 'Waits' }).getByText(FUNCTIONS[0]!).waitFor();
    await run.getByRole('button', { name: /^parse 10.ms error.*level 2, from 30.ms$/ }).click();
    const tree = run.getByRole('tree', { name: 'What ran in GET /price, in the order of time' });
    await tree.focus();
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => run.getByRole('treeitem', { selected: true }).textContent()).toMatch(/from 2.ms, total 10\.1.ms/);
    await run.getByRole('table', { name: 'Context' }).getByText(HOSTILE_NAMES[0]!).waitFor();
    await run.getByRole('button', { name: 'Copy: Trace' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
    // The same picture from its address.
    const address = page.url();
    expect(address).toContain('runZoom=30000-40000');
    await open(page, address);
    await run.getByText('Shown: 30').waitFor();
  });

  it('compares the two releases and names what became dearer', async () => {
    await open(page, `${server.url}/compare?service=${encodeURIComponent(SERVICE)}`);
    await page.getByText('all of it is used').first().waitFor();
    await page.getByRole('button', { name: 'Compare', exact: true }).click();
    await page.waitForURL(/compare\/[^?]+/);
    const changes = page.getByRole('table', { name: 'Changes' });
    await changes
      .getByText(DEARER)
      .waitFor({ timeout: 100_000 })
      .catch(async (error: unknown) => {
        throw new Error(await page.locator('main').innerText(), { cause: error }); // what it shows instead says why
      });
    expect(await changes.getByRole('row').filter({ hasText: DEARER }).first().innerText()).toMatch(/Regressed|Likely regressed/);
    await page.getByRole('region', { name: 'Transactions' }).getByText('GET /price').waitFor();
    const address = page.url();
    const other = await signInAs(browser, server.url, 'dark', { email: server.adminEmail, password: server.adminPassword });
    await open(other.page, address);
    await other.page.getByRole('table', { name: 'Changes' }).getByText(DEARER).waitFor();
    await other.context.close();
  });

  it('met no fault on the way', () => expect(visitor.faults).toEqual([]));
});
