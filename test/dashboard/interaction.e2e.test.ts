import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeDashboard } from './made-dashboard.js';
import { CHECKOUT } from './made-shop.js';
import { open, settled, signInAs, type Visitor } from './open-page.js';

const made = madeDashboard();

describe('using the dashboard', () => {
  let visitor: Visitor;
  beforeAll(async () => {
    visitor = await signInAs(made.browser, made.server.url, 'light');
  });
  afterAll(() => visitor?.context.close());

  it('zooms a flame graph by keyboard, and says where', async () => {
    const { page } = visitor;
    await open(page, `${made.server.url}/explore?service=shop&view=graph`);
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
    await open(page, `${made.server.url}/explore?service=shop&view=lines`);
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
    await open(page, `${made.server.url}/explore?service=shop&view=graph`);
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
    await open(page, made.server.url + CHECKOUT);
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
    await open(page, made.server.url + CHECKOUT);
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
    await open(page, `${made.server.url}/explore?service=shop`);
    await page.getByText(/ in 48,211 samples$/).waitFor();
    await open(page, `${made.server.url}/explore?service=shop&type=inuse_space`);
    await page.getByText(/MiB on average$/).waitFor();
    await open(page, `${made.server.url}/compare/level`);
    await page.getByText('How this was computed').click();
    await page
      .getByText(/^\d+ processes, [\d,]+ transactions, /)
      .first()
      .waitFor();
  });

  it('searches with the share of what matches', async () => {
    const { page } = visitor;
    await open(page, `${made.server.url}/explore?service=shop`);
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
    await open(page, `${made.server.url}/explore?service=shop&view=graph`);
    await page.getByRole('tree').hover({ position: { x: 40, y: 30 } });
    await page.getByText('internal/process/task_queues').first().waitFor();
    await page.getByRole('tree').click({ position: { x: 40, y: 30 } });
    await expect
      .poll(() => page.getByRole('navigation', { name: 'Zoomed frame' }).textContent())
      .toContain('processTicksAndRejections');
  });

  it('brings back the same page from its address', async () => {
    const { page } = visitor;
    await open(page, `${made.server.url}/compare/done`);
    await page.getByRole('region', { name: 'Where the change is' }).getByRole('button').nth(1).click();
    await page.getByRole('group', { name: 'Metric' }).or(page.getByLabel('Metric')).getByText('With callees').click();
    await page.getByLabel('Search frames').fill('render');
    await page.getByText(/functions, .* of total/).waitFor();
    await settled(page);
    const content = () => page.locator('main').innerText();
    const before = await content();
    const other = await signInAs(made.browser, made.server.url, 'light');
    await open(other.page, page.url());
    await other.page.getByText(/functions, .* of total/).waitFor();
    expect(withoutClock(await other.page.locator('main').innerText())).toBe(withoutClock(before));
    await other.context.close();
  });

  it('leads to the asked page after signing in', async () => {
    const { page } = visitor;
    await page.context().clearCookies();
    await page.goto(`${made.server.url}/explore?service=shop&search=render`);
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
    await open(page, `${made.server.url}/compare/done`);
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
    await open(page, `${made.server.url}/install?service=checkout`);
    await page.getByText('Waiting for the first batch of checkout').waitFor();
    await page.getByRole('button', { name: /Create a key/ }).click();
    await page
      .getByLabel('Start command')
      .getByText(/HEARTH_KEY=hk_5fd2c19ae07b4a63bd80/)
      .waitFor();
    expect(await page.getByLabel('Install command').first().textContent()).toBe(`npm i ${made.server.url}/install/agent.tgz`);
    made.server.addService('checkout');
    await page.getByText('checkout is sending').waitFor({ timeout: 10_000 });
  });

  it('switches the theme and keeps it', async () => {
    const { page } = visitor;
    await open(page, `${made.server.url}/services`);
    await page.getByRole('button', { name: 'Switch to the dark theme' }).click();
    await page.reload();
    await settled(page);
    expect(await page.evaluate(() => getComputedStyle(document.body).colorScheme)).toBe('dark');
    await page.getByRole('button', { name: 'Switch to the light theme' }).click();
  });

  it('says what to do when the server refuses, and recovers', async () => {
    const { page } = visitor;
    made.server.failWith({
      type: '',
      title: 'Too large',
      status: 422,
      code: 'SELECTION_TOO_LARGE',
      detail: 'Choose a shorter range.',
    });
    await page.goto(`${made.server.url}/transactions?service=shop`);
    await page.getByText('Choose a shorter range.').first().waitFor();
    await page.getByText('SELECTION_TOO_LARGE').first().waitFor();
    made.server.failWith(undefined);
    await page.getByRole('button', { name: 'Try again' }).first().click();
    await page.getByText('recalculate-recommendations').waitFor();
  });

  it('helps with the keys', async () => {
    const { page } = visitor;
    await open(page, `${made.server.url}/services`);
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
