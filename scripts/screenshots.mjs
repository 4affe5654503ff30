#!/usr/bin/env node
/**
 * Pictures of every page in both themes, to be looked at.
 *
 *     npm run screenshots -- [--out DIR] [--only NAME]                            over made answers
 *     npm run screenshots -- --url http://127.0.0.1:4040 --email E --password P --service S [--comparison ID]
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureReady } from './setup.mjs';

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: '.cache/screenshots' },
    only: { type: 'string', default: '' },
    url: { type: 'string' },
    email: { type: 'string', default: 'admin@hearth.local' },
    password: { type: 'string', default: 'hearth' },
    service: { type: 'string', default: 'shop' },
    comparison: { type: 'string' },
  },
});
await ensureReady();
await import('./typescript/register.mjs');
const { launchBrowser, openContext } = await import('../test/support/browser.ts');
const { startFixtureServer } = await import('../test/dashboard/fixture-server.ts');

const isMade = values.url === undefined;
const fixture = isMade ? await startFixtureServer() : undefined;
const base = values.url ?? fixture.url;
const service = encodeURIComponent(values.service);
const clickFrame = async (page) => {
  const tree = page.getByRole('tree');
  await tree.hover({ position: { x: 220, y: 150 } });
};

const RUN = '/transactions?service=shop&transaction=POST+%2Fcheckout&run=1-29920000-00000000-0000-4000-8000-000000000000';

/** Name, path, what to do before the picture. */
const PAGES = [
  ['services', '/services'],
  ['explore', `/explore?service=${service}`, clickFrame],
  ['explore-table', `/explore?service=${service}&view=table`],
  ['explore-lines', `/explore?service=${service}&view=lines`],
  ['explore-process', `/explore?service=${service}&view=process`],
  [
    'explore-process-foot',
    `/explore?service=${service}&view=process`,
    (page) => page.getByRole('region', { name: 'Process metrics' }).evaluate((grid) => grid.scrollTo(0, 1e4)),
  ],
  ['explore-grouped', `/explore?service=${service}&group=revision&view=graph&grow=up`],
  ['transactions', `/transactions?service=${service}`],
  ['compare', `/compare?service=${service}`],
  ['install', '/install?service=checkout'],
  ...(values.comparison ? [['comparison', `/compare/${values.comparison}`]] : []),
  ...(isMade
    ? [
        ['explore-search', `/explore?service=shop&search=render`],
        [
          'explore-brush',
          `/explore?service=shop&brush=${Date.now() - 1_500_000}-${Date.now() - 600_000}&labels=[["plan","=","pro"]]`,
        ],
        [
          'explore-minified',
          `/explore?service=shop&environment=bundled`,
          (page) => page.getByText('are minified').first().click(),
        ],
        ['explore-hostile', '/explore?service=hostile'],
        ['explore-lines-none', '/explore?service=shop&view=lines&process=silent'],
        ['explore-nothing', '/explore?service=shop&transaction=nothing'],
        ['explore-empty', '/explore'],
        [
          'explore-filter',
          '/explore?service=shop',
          async (page) => {
            await page.getByRole('button', { name: '+ Label' }).click();
          },
        ],
        [
          'explore-range',
          '/explore?service=shop',
          async (page) => {
            await page.getByRole('button', { name: /Time range/ }).click();
          },
        ],
        ['transaction', '/transactions?service=shop&transaction=POST+%2Fcheckout'],
        ['transaction-run', RUN],
        ['transaction-run-span', `${RUN}&runZoom=140000-258000&search=discount`],
        ['transaction-run-short', RUN.replace(/0$/, '3')],
        ['transaction-run-hostile', RUN.replace('service=shop', 'service=hostile').replace('run=1-', 'run=2-')],
        ['transaction-run-gone', RUN.replace('29920000', '29000000')],
        [
          'transaction-no-runs',
          '/transactions?service=shop&transaction=POST+%2Fcheckout&revision=4f1c2a9d0b7e63581c9a4d2f6e0b8375a1d9c4e2',
        ],
        ['comparison', '/compare/done'],
        [
          'comparison-chosen',
          '/compare/done',
          async (page) => {
            await page.getByRole('region', { name: 'Where the change is' }).getByRole('button').first().click();
          },
        ],
        [
          'comparison-foot',
          '/compare/done',
          async (page) => {
            await page.getByText('How this was computed').click();
            await page.locator('main').evaluate((main) => main.scrollTo(0, 1e4));
          },
        ],
        ['comparison-unchanged', '/compare/unchanged'],
        ['comparison-whole', '/compare/whole'],
        ['comparison-level', '/compare/level'],
        ['comparison-hostile', '/compare/hostile'],
        ['comparison-pending', '/compare/pending'],
        ['comparison-failed', '/compare/failed'],
        [
          'keys',
          '/services',
          async (page) => {
            await page.keyboard.press('?');
          },
        ],
        ['missing', '/nowhere'],
      ]
    : []),
];

const out = values.out;
await mkdir(out, { recursive: true });
const browser = await launchBrowser();
for (const scheme of ['light', 'dark']) {
  const context = await openContext(browser, { scheme });
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`${page.url()}: ${error.message}`));
  page.on(
    'console',
    (message) =>
      message.type() === 'error' && !message.text().includes('401') && console.error(`${page.url()}: ${message.text()}`),
  );
  await page.goto(`${base}/sign-in`);
  await page.getByRole('heading').first().waitFor();
  await take(page, 'sign-in', scheme);
  await page.getByLabel('E-mail').fill(values.email);
  await page.locator('input[type=password]').fill(values.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(({ pathname }) => pathname === '/services');
  for (const [name, path, act] of PAGES) {
    if (!name.startsWith(values.only)) continue;
    await page.goto(base + path);
    await page.waitForLoadState('networkidle');
    await act?.(page);
    await page.waitForTimeout(300);
    await take(page, name, scheme);
  }
  if (isMade && values.only === '') {
    await page.goto(`${base}/install?service=checkout`);
    await page.getByRole('button', { name: /Create a key/ }).click();
    await page.waitForTimeout(300);
    fixture.addService('checkout');
    await page.getByText('checkout is sending').waitFor();
    await take(page, 'install-arrived', scheme);
    fixture.delayMs = 2_500;
    for (const [name, path] of [
      ['explore-loading', '/explore?service=shop'],
      ['comparison-loading', '/compare/done'],
    ]) {
      await page.goto(base + path, { waitUntil: 'commit' });
      await page.waitForTimeout(1_200);
      await take(page, 'session-loading', scheme);
      await page.waitForTimeout(2_300);
      await take(page, name, scheme);
    }
    fixture.delayMs = 0;
  }
  await context.close();
}
await browser.close();
await fixture?.close();

async function take(page, name, scheme) {
  if (!name.startsWith(values.only)) return;
  await page.screenshot({ path: join(out, `${name}-${scheme}.png`) });
}
