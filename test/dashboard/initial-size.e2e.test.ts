import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { madeDashboard } from './made-dashboard.js';
import { open, signInAs } from './open-page.js';

const MAX_INITIAL_BYTES = 200_000;

const made = madeDashboard();

it('loads at most 200 kB of gzipped script for its first page, and nothing from elsewhere', async () => {
  const { context, page, faults } = await signInAs(made.browser, made.server.url, 'light');
  const scripts = new Set<string>();
  page.on('request', (request) => {
    if (request.url().endsWith('.js')) scripts.add(request.url());
  });
  await open(page, `${made.server.url}/services`);
  let total = 0;
  for (const script of scripts) total += gzipSync(new Uint8Array(await (await fetch(script)).arrayBuffer())).length;
  expect(total).toBeGreaterThan(50_000);
  expect(total).toBeLessThanOrEqual(MAX_INITIAL_BYTES);
  expect(faults).toEqual([]);
  await context.close();
});
