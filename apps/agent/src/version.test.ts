import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { AGENT_VERSION } from './version.js';

it('AGENT_VERSION is the version of the package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  expect(AGENT_VERSION).toBe(version);
});
