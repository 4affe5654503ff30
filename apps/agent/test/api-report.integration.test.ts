import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { AGENT_DIST } from './support/run-host.js';

const REPORT = new URL('../api-report.md', import.meta.url);
const HEADER = `# The public API of @hearth/agent

What \`dist/*.d.mts\` of each entry declares, and what it imports, without comments. A change here is a change for every user: a minor version at least, a major one if anything goes
or narrows. After one that is meant: \`UPDATE_API_REPORT=1 npx vitest run --project integration apps/agent/test/api-report\`.
`;
const RELATIVE_IMPORT = /from "\.\/([\w.-]+)\.[mc]js"/g;

/** A declaration file without its comments. @param name - Without its ending. */
function declared(name: string, module: 'm' | 'c'): string {
  return readFileSync(`${AGENT_DIST}${name}.d.${module}ts`, 'utf8')
    .replaceAll(/\/\*\*[\s\S]*?\*\//g, '')
    .replaceAll(/^\/\/#.*$/gm, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .join('\n');
}

/** The files of all entries, and what they share. */
function declarationNames(): string[] {
  const { exports } = JSON.parse(readFileSync(`${AGENT_DIST}../package.json`, 'utf8')) as { exports: object };
  const names = new Set(Object.keys(exports).map((entry) => (entry === '.' ? 'index' : entry.slice('./'.length))));
  for (const name of names) for (const [, imported] of declared(name, 'm').matchAll(RELATIVE_IMPORT)) names.add(imported!);
  return [...names];
}

it('the public API is the one that was agreed on', () => {
  const names = declarationNames();
  const sections = names.map((name) => `\n## ${name}\n\n<!-- prettier-ignore -->\n\`\`\`ts\n${declared(name, 'm')}\n\`\`\`\n`);
  const report = HEADER + sections.join('');
  if (process.env['UPDATE_API_REPORT'] === '1') writeFileSync(REPORT, report);
  expect(report).toBe(readFileSync(REPORT, 'utf8'));
  for (const name of names) expect(declared(name, 'c').replaceAll('.cjs"', '.mjs"')).toBe(declared(name, 'm'));
});
