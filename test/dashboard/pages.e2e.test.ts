import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeDashboard } from './made-dashboard.js';
import { GONE_RUN } from './made-runs.js';
import { BASELINE, CHECKOUT, HOSTILE_NAMES } from './made-shop.js';
import { open, signInAs, type Scheme, type Visitor } from './open-page.js';

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const made = madeDashboard();

const SCHEMES: readonly Scheme[] = ['light', 'dark'];
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
  [CHECKOUT, 'Slowest runs'],
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
      visitors.set(scheme, { visitor: await signInAs(made.browser, made.server.url, scheme), turn: Promise.resolve() });
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
      await open(page, made.server.url + path);
      await page.getByText(text).first().waitFor({ timeout: 10_000 });
      expect(await page.evaluate(() => getComputedStyle(document.body).colorScheme)).toBe(scheme);
      expect(faults.filter((fault) => !/404|410/.test(fault))).toEqual([]);
      expect(await seriousViolations(visitor)).toEqual([]);
    });
  });

  it.concurrent.each(SCHEMES)('shows the sign-in page in %s', async (scheme) => {
    await inTurn(scheme, async (visitor) => {
      await open(visitor.page, `${made.server.url}/sign-in`);
      expect(await seriousViolations(visitor)).toEqual([]);
    });
  });

  it.concurrent('shows names from profiles literally everywhere', async () => {
    const { page, context, faults } = await signInAs(made.browser, made.server.url, 'light');
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
      await open(page, made.server.url + path);
      expect(await page.locator('main img, main script, main b:not([class])').count(), path).toBe(0);
    }
    await open(page, `${made.server.url}/transactions?service=hostile`);
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
    await open(page, `${made.server.url}/explore?service=hostile&view=table&search=__proto__`);
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
