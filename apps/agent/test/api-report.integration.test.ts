import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { AGENT_DIST } from './support/run-host.js';

const REPORT = new URL('../api-report.md', import.meta.url);
const HEADER = `# The public API of @hearth/agent

What \`dist/index.d.mts\` declares, without its comments. A change here is a change for every user: a minor version at least, a major one if anything goes
or narrows. After one that is meant: \`UPDATE_API_REPORT=1 npx vitest run --project integration apps/agent/test/api-report\`.

`;

it('the public API is the one that was agreed on', () => {
  const declared = (file: string): string =>
    readFileSync(`${AGENT_DIST}${file}`, 'utf8')
      .replaceAll(/\/\*\*[\s\S]*?\*\//g, '')
      .replaceAll(/^\/\/#.*$/gm, '')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .join('\n');
  const report = `${HEADER}<!-- prettier-ignore -->\n\`\`\`ts\n${declared('index.d.mts')}\n\`\`\`\n`;
  if (process.env['UPDATE_API_REPORT'] === '1') writeFileSync(REPORT, report);
  expect(report).toBe(readFileSync(REPORT, 'utf8'));
  expect(declared('index.d.cts')).toBe(declared('index.d.mts'));
});
