import type { Browser, BrowserContext, Page } from 'playwright-core';
import { openContext } from '../support/browser.js';

export type Scheme = 'light' | 'dark';

/** A signed-in visitor. What the page throws, logs as an error or asks of another origin is collected in `faults`. */
export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly faults: string[];
}

export async function signInAs(
  browser: Browser,
  url: string,
  scheme: Scheme,
  who = { email: 'admin@hearth.local', password: 'hearth' },
): Promise<Visitor> {
  const context = await openContext(browser, { scheme });
  const page = await context.newPage();
  const faults = context.foreignRequests;
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // The question who is signed in is answered by 401 before there is a session.
    if (message.type() === 'error' && !message.text().includes('401')) faults.push(message.text());
  });
  await page.goto(`${url}/services`);
  await page.waitForURL(/sign-in/);
  await page.getByLabel('E-mail').fill(who.email);
  await page.locator('input[type=password]').fill(who.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(({ pathname }) => pathname === '/services');
  return { context, page, faults };
}

/** Go there and wait until nothing is loading. */
export async function open(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await settled(page);
}

export async function settled(page: Page): Promise<void> {
  await networkSilence(page);
  await page.waitForFunction(
    () =>
      document.querySelector('[aria-busy=true], [role=status][aria-label^=Loading]') === null &&
      document.querySelector('main') !== null,
  );
}

const SILENT_MS = 3_000;

/** As Playwright says, or as long as it cannot be anything else: one visit of many hundred waited for it in vain, for a reason that was not found. What a page still waits for it shows. */
async function networkSilence(page: Page): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let listen = (): void => {};
  const silence = new Promise<void>((resolve) => {
    listen = () => {
      clearTimeout(timer);
      timer = setTimeout(resolve, SILENT_MS);
    };
  });
  page.on('request', listen).on('requestfinished', listen).on('requestfailed', listen);
  listen();
  try {
    await Promise.race([page.waitForLoadState('networkidle'), silence]);
  } finally {
    clearTimeout(timer);
    page.off('request', listen).off('requestfinished', listen).off('requestfailed', listen);
  }
}
