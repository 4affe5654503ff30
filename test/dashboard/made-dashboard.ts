import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { startFixtureServer, type FixtureServer } from './fixture-server.js';

/** The dashboard over made answers, and a browser, both from the first test of a file to its last. */
export function madeDashboard(): { readonly browser: Browser; readonly server: FixtureServer } {
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
  return {
    get browser() {
      return browser;
    },
    get server() {
      return server;
    },
  };
}
