import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { startFixtureServer, type FixtureServer } from './fixture-server.js';
import { GONE_RUN } from './made-runs.js';
import { BASELINE, HOSTILE_NAMES } from './made-shop.js';
import { open, settled, signInAs, type Scheme, type Visitor } from './open-page.js';

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;
let server: FixtureServer;
beforeAll(async () => {
  server = await startFixtureServer();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const SCHEMES: readonly Scheme[] = ['light', 'dark'];
const CHECKOUT = '/transactions?service=shop&transaction=POST+%2Fcheckout';
const RUN = '1-29920000-00000000-0000-4000-8000-00000000000';

/** Every page and state, and something that only it shows. */
const PAGES = [
  ['/services', 'shop-mailer'],
  ['/explore', 'Choose a service'],
  ['/explore?service=shop', 'applyDiscounts'],
  ['/explore?service=shop&view=table', 'applyDiscounts'],
  ['/explore?service=shop&environment=bundled', 'are minified'],
  ['/explore?service=shop&view=graph&grow=up&group=revision&brush=1-2', 'Clear'],
  ['/explore?service=shop&view=lines', 'Total, and of it self'],
  ['/explore?service=shop&view=lines&process=silent', 'No lines were recorded'],
  ['/explore?service=shop&view=process', 'Event loop late by'],
  ['/explore?service=shop&view=process&process=silent', 'No process measured itself'],
  ['/explore?service=shop&transaction=nothing', 'No samples in this selection'],
  ['/transactions?service=shop', 'parse-cart'],
  ['/transactions?service=pyroscope-client', 'No transaction finished'],
  ['/transactions?service=shop&transaction=POST+%2Fcheckout', 'Slowest runs'],
  [`${CHECKOUT}&run=${RUN}0`, 'about 41 at 99 Hz'],
  [`${CHECKOUT}&run=${RUN}0&runZoom=140000-258000&search=discount`, 'Show all of it'],
  [`${CHECKOUT}&run=${RUN}3`, 'less than one at 99 Hz'],
  [`${CHECKOUT}&run=${GONE_RUN}`, 'This run is not kept any more'],
  [`${CHECKOUT}&revision=${BASELINE}`, 'No slow run is kept in this range'],
  ['/compare?service=shop', 'Candidate'],
  ['/compare/done', 'applyDiscounts costs'],
  ['/compare/unchanged', 'No function changed'],
  ['/compare/whole', 'applyDiscounts, with what it calls, costs'],
  ['/compare/level', 'Levels side by side'],
  ['/compare/pending', 'No worker has taken it'],
  ['/compare/running', 'Comparing'],
  ['/compare/failed', 'COMPARISON_SIDE_EMPTY'],
  ['/compare/unknown', 'NOT_FOUND'],
  ['/install', 'Waiting for the first batch'],
  ['/nowhere', 'There is no such page'],
] as const;
const PAGES_BY_SCHEME = PAGES.flatMap(([path, text]) => SCHEMES.map((scheme) => [path, scheme, text] as const));

describe('the dashboard', () => {
  const visitors = new Map<Scheme, { readonly visitor: Visitor; turn: Promise<void> }>();
  beforeAll(async () => {
    for (const scheme of SCHEMES)
      visitors.set(scheme, { visitor: await signInAs(browser, server.url, scheme), turn: Promise.resolve() });
  });
  afterAll(async () => {
    for (const { visitor } of visitors.values()) await visitor.context.close();
  });
  /** One page after the other in each scheme, the schemes side by side: half of it is waiting for the network to be silent. */
  const inTurn = async (scheme: Scheme, look: (visitor: Visitor) => Promise<void>) => {
    const one = visitors.get(scheme)!;
    const looked = one.turn.then(() => look(one.visitor));
    one.turn = looked.catch(() => undefined);
    await looked;
  };

  it.concurrent.each(PAGES_BY_SCHEME)('shows %s in %s', async (path, scheme, text) => {
    await inTurn(scheme, async (visitor) => {
      const { page, faults } = visitor;
      faults.length = 0;
      await open(page, server.url + path);
      await page.getByText(text).first().waitFor({ timeout: 10_000 });
      expect(await page.evaluate(() => getComputedStyle(document.body).colorScheme)).toBe(scheme);
      expect(faults.filter((fault) => !/404|410/.test(fault))).toEqual([]);
      expect(await seriousViolations(visitor)).toEqual([]);
    });
  });

  it.concurrent.each(SCHEMES)('shows the sign-in page in %s', async (scheme) => {
    await inTurn(scheme, async (visitor) => {
      await open(visitor.page, `${server.url}/sign-in`);
      expect(await seriousViolations(visitor)).toEqual([]);
    });
  });

  it.concurrent('shows names from profiles literally everywhere', async () => {
    const { page, context, faults } = await signInAs(browser, server.url, 'light');
    for (const path of [
      '/services',
      '/explore?service=hostile',
      '/explore?service=hostile&view=table',
      '/explore?service=hostile&view=lines',
      '/explore?service=hostile&view=process',
      '/transactions?service=hostile',
      `/transactions?service=hostile&transaction=${encodeURIComponent(HOSTILE_NAMES[0]!)}`,
      `/transactions?service=hostile&transaction=x&run=${RUN.replace('1', '2')}0`,
      '/compare/hostile?show=all',
      '/compare?service=hostile',
    ]) {
      await open(page, server.url + path);
      expect(await page.locator('main img, main script, main b:not([class])').count(), path).toBe(0);
    }
    await open(page, `${server.url}/transactions?service=hostile`);
    const text = await page.locator('main').innerText();
    for (const name of [
      '<img src=x onerror="document.title=\'broken\'">',
      '"quoted" \'twice\' `thrice`',
      '__proto__',
      'constructor',
      '🙂🔥 emoji',
      'nul⟨U+0000⟩and⟨U+000A⟩newline',
      '⟨U+202E⟩reversed',
      '&lt;b&gt;',
      '${x}',
    ]) {
      expect(text).toContain(name);
    }
    await open(page, `${server.url}/explore?service=hostile&view=table&search=__proto__`);
    expect(await page.getByRole('table', { name: 'Functions' }).innerText()).toContain('__proto__');
    await page.getByRole('combobox', { name: 'Service' }).click();
    await page.getByRole('option', { name: 'hostile' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: '+ Label' }).click();
    await page.getByRole('combobox', { name: 'Label name' }).click();
    await page.getByRole('option', { name: '__proto__ (3)' }).click();
    await page.getByRole('combobox', { name: 'Label value' }).click();
    await page.getByRole('option', { name: '<img src=x' }).click();
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByText('__proto__ = <img src=x').waitFor();
    expect(await page.title()).toBe('Hearth');
    expect(faults).toEqual([]);
    await context.close();
  });
});

async function seriousViolations({ page }: Visitor): Promise<string[]> {
  await page.evaluate(axeSource); // the page's own policy allows no foreign script tags
  // Without the nodes of the rules that hold: they are thousands, and take longer to hand over than to look at.
  const violations = await page.evaluate<AxeResults['violations']>(
    "axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)",
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 300)} ${nodes[0]!.failureSummary ?? ''}`);
}

describe('using the dashboard', () => {
  let visitor: Visitor;
  beforeAll(async () => {
    visitor = await signInAs(browser, server.url, 'light');
  });
  afterAll(() => visitor?.context.close());

  it('zooms a flame graph by keyboard, and says where', async () => {
    const { page } = visitor;
    await open(page, `${server.url}/explore?service=shop&view=graph`);
    const tree = page.getByRole('tree', { name: 'Flame graph of shop' });
    await tree.focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
    const breadcrumb = page.getByRole('navigation', { name: 'Zoomed frame' });
    await expect.poll(() => breadcrumb.textContent()).toContain('emit');
    expect(page.url()).toContain('zoom=');
    const spoken = await page.getByRole('treeitem', { selected: true }).textContent();
    expect(spoken).toMatch(/^emit in events: total .*%, self /);
    await page.keyboard.press('Escape');
    await expect.poll(() => breadcrumb.locator('[aria-current]').textContent()).toBe('parserOnIncoming');
    await page.keyboard.press('Home');
    await expect.poll(() => page.url()).not.toContain('zoom=');
  });

  it('shows the lines of a file, and asks a process to record them', async () => {
    const { page } = visitor;
    await open(page, `${server.url}/explore?service=shop&view=lines`);
    const lines = page.getByRole('region', { name: 'Lines of src/cart.ts' });
    expect(await lines.getByRole('row').count()).toBe(42);
    expect(await lines.getByRole('row').nth(1).textContent()).toContain('unknown');
    await page.getByRole('combobox', { name: 'File' }).click();
    await page.getByRole('option', { name: /express lib\/router/ }).click();
    await page.getByRole('region', { name: 'Lines of express lib/router/index.js' }).waitFor();
    expect(page.url()).toContain('package=express');
    await page.getByRole('button', { name: 'Record lines for a minute' }).click();
    await page.getByText('Process 5f5f5f5f is asked').waitFor();
  });

  it('walks to the neighbours of a frame', async () => {
    const { page } = visitor;
    await open(page, `${server.url}/explore?service=shop&view=graph`);
    await page.getByRole('tree').focus();
    const selected = () => page.getByRole('treeitem', { selected: true }).textContent();
    await page.keyboard.press('ArrowDown');
    expect(await selected()).toContain('processTicksAndRejections');
    await page.keyboard.press('ArrowRight');
    expect(await selected()).toContain('listOnTimeout');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowUp');
    expect(await selected()).toMatch(/^total/);
  });

  it('opens a slow run, and shows the time of a span everywhere at once', async () => {
    const { page } = visitor;
    await open(page, server.url + CHECKOUT);
    await page.getByRole('button', { name: /^Run of 418 ms/ }).click();
    const run = page.getByRole('region', { name: /^Run of 418/ });
    await run.getByRole('list', { name: 'Waits' }).getByText('fetch POST pay.example').waitFor();
    const span = run.getByRole('button', { name: /^apply discounts 118.ms rules 12.*level 2, from 140.ms$/ });
    await span.click();
    await expect.poll(() => new URL(page.url()).searchParams.get('runZoom')).toBe('140000-258000');
    expect(await span.getAttribute('aria-pressed')).toBe('true');
    await run.getByText('For nothing in this part of the run.').waitFor();
    // What fills the width is a frame: the keys walk from there, and back to all of it.
    const tree = run.getByRole('tree', { name: 'What ran in POST /checkout, in the order of time' });
    await tree.focus();
    await page.keyboard.press('Home');
    await expect.poll(() => page.url()).not.toContain('runZoom=');
    for (const key of ['ArrowDown', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
    await expect
      .poll(() => run.getByRole('treeitem', { selected: true }).textContent())
      .toMatch(/^handle in .*: from 97.ms, total 1\d\d.ms/);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.url()).not.toContain('runZoom=');
    await page.keyboard.press(']');
    await page.getByRole('region', { name: /^Run of 357/ }).waitFor();
    await page.getByText('90,000 samples, of which 20 are kept.').waitFor();
    await page.goBack();
    await run.waitFor();
    await run.getByRole('button', { name: 'Copy: Trace' }).waitFor();
    await run.getByRole('button', { name: 'Close' }).click();
    await expect.poll(() => page.url()).not.toContain('run=');
  });

  it('gives each span its part of the CPU of a transaction, and no count of its own', async () => {
    const { page } = visitor;
    await open(page, server.url + CHECKOUT);
    const rows = page.getByRole('region', { name: 'By span' }).locator('tbody tr');
    expect(
      (await rows.allInnerTexts()).map((text) =>
        text
          .trim()
          .split(/\s*\t\s*/)
          .join(' '),
      ),
    ).toEqual([
      'apply discounts – – – – 54.6 2.89',
      '(without this label) 42,000 0 3.20 10.4 22.7 1.20',
      'load cart – – – – 22.7 1.20',
    ]);
  });

  it('counts the samples of what was used, not of what is alive', async () => {
    const { page } = visitor;
    await open(page, `${server.url}/explore?service=shop`);
    await page.getByText(/ in 48,211 samples$/).waitFor();
    await open(page, `${server.url}/explore?service=shop&type=inuse_space`);
    await page.getByText(/MiB on average$/).waitFor();
    await open(page, `${server.url}/compare/level`);
    await page.getByText('How this was computed').click();
    await page
      .getByText(/^\d+ processes, [\d,]+ transactions, /)
      .first()
      .waitFor();
  });

  it('searches with the share of what matches', async () => {
    const { page } = visitor;
    await open(page, `${server.url}/explore?service=shop`);
    await page.keyboard.press('/');
    await page.keyboard.type('applyDiscounts');
    await page.getByText('1 function, 11.4\u202f% of total').waitFor();
    await expect.poll(() => page.url()).toContain('search=applyDiscounts');
    await settled(page);
    expect(await page.getByRole('table', { name: 'Functions' }).getByRole('row').count()).toBe(2);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.url()).not.toContain('search=');
  });

  it('shows the frame under the pointer and zooms to it by a click', async () => {
    const { page } = visitor;
    await open(page, `${server.url}/explore?service=shop&view=graph`);
    await page.getByRole('tree').hover({ position: { x: 40, y: 30 } });
    await page.getByText('internal/process/task_queues').first().waitFor();
    await page.getByRole('tree').click({ position: { x: 40, y: 30 } });
    await expect
      .poll(() => page.getByRole('navigation', { name: 'Zoomed frame' }).textContent())
      .toContain('processTicksAndRejections');
  });

  it('brings back the same page from its address', async () => {
    const { page } = visitor;
    await open(page, `${server.url}/compare/done`);
    await page.getByRole('region', { name: 'Where the change is' }).getByRole('button').nth(1).click();
    await page.getByRole('group', { name: 'Metric' }).or(page.getByLabel('Metric')).getByText('With callees').click();
    await page.getByLabel('Search frames').fill('render');
    await page.getByText(/functions, .* of total/).waitFor();
    await settled(page);
    const content = () => page.locator('main').innerText();
    const before = await content();
    const other = await signInAs(browser, server.url, 'light');
    await open(other.page, page.url());
    await other.page.getByText(/functions, .* of total/).waitFor();
    expect(withoutClock(await other.page.locator('main').innerText())).toBe(withoutClock(before));
    await other.context.close();
  });

  it('leads to the asked page after signing in', async () => {
    const { page } = visitor;
    await page.context().clearCookies();
    await page.goto(`${server.url}/explore?service=shop&search=render`);
    await page.waitForURL(/sign-in/);
    await page.getByLabel('E-mail').fill('admin@hearth.local');
    await page.locator('input[type=password]').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('No user has this address and password').waitFor();
    await page.locator('input[type=password]').fill('hearth');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(({ pathname, search }) => pathname === '/explore' && search.includes('search=render'));
  });

  it('selects a change everywhere at once', async () => {
    const { page } = visitor;
    await open(page, `${server.url}/compare/done`);
    const list = page.getByRole('table', { name: 'Changes' });
    await list.getByText('applyDiscounts').click();
    await expect.poll(() => list.locator('[data-chosen=true]').count()).toBe(1);
    await page
      .getByRole('region', { name: 'Transactions' })
      .locator('tr[data-chosen=true]')
      .getByText('POST /checkout')
      .waitFor();
    expect(
      await page.getByRole('region', { name: 'Where the change is' }).locator('[aria-pressed=true]').textContent(),
    ).toContain('applyDiscounts');
    await page.locator('body').press(']');
    await expect.poll(() => list.locator('[data-chosen=true]').textContent()).toContain('scoreResults');
  });

  it('turns green by itself when the first batch comes', async () => {
    const { page } = visitor;
    await open(page, `${server.url}/install?service=checkout`);
    await page.getByText('Waiting for the first batch of checkout').waitFor();
    await page.getByRole('button', { name: /Create a key/ }).click();
    await page
      .getByLabel('Start command')
      .getByText(/HEARTH_KEY=hk_5fd2c19ae07b4a63bd80/)
      .waitFor();
    expect(await page.getByLabel('Install command').first().textContent()).toBe(`npm i ${server.url}/install/agent.tgz`);
    server.addService('checkout');
    await page.getByText('checkout is sending').waitFor({ timeout: 10_000 });
  });

  it('switches the theme and keeps it', async () => {
    const { page } = visitor;
    await open(page, `${server.url}/services`);
    await page.getByRole('button', { name: 'Switch to the dark theme' }).click();
    await page.reload();
    await settled(page);
    expect(await page.evaluate(() => getComputedStyle(document.body).colorScheme)).toBe('dark');
    await page.getByRole('button', { name: 'Switch to the light theme' }).click();
  });

  it('says what to do when the server refuses, and recovers', async () => {
    const { page } = visitor;
    server.failWith({
      type: '',
      title: 'Too large',
      status: 422,
      code: 'SELECTION_TOO_LARGE',
      detail: 'Choose a shorter range.',
    });
    await page.goto(`${server.url}/transactions?service=shop`);
    await page.getByText('Choose a shorter range.').first().waitFor();
    await page.getByText('SELECTION_TOO_LARGE').first().waitFor();
    server.failWith(undefined);
    await page.getByRole('button', { name: 'Try again' }).first().click();
    await page.getByText('recalculate-recommendations').waitFor();
  });

  it('helps with the keys', async () => {
    const { page } = visitor;
    await open(page, `${server.url}/services`);
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Search this page').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('e');
    await page.waitForURL(({ pathname }) => pathname === '/explore');
  });
});

/** Times of day move on between two visits. */
function withoutClock(text: string): string {
  return text.replace(/\d\d:\d\d:\d\d/g, 'hh:mm:ss').replace(/\d+ (s|min|h) ago/g, 'ago');
}
