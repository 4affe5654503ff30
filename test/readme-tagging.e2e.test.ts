import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { FlameGraphAnswer, LabelValuesAnswer, TransactionsAnswer } from '@hearth/query-contract';
import { expect, it } from 'vitest';
import { askJson } from './support/ask.js';
import { startTestServer } from './support/server.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The first code block of the README's section on tagging, letter for letter. */
function taggingSnippet(): string {
  const section = readFileSync(path.join(root, 'README.md'), 'utf8').split('## Tag your own transactions')[1]!;
  return /```js\n([\s\S]*?)```/.exec(section)![1]!;
}

/** What the snippet takes for granted: a customer with orders that cost CPU to read and to save. */
const SURROUNDINGS = `
const customer = { plan: 'pro' };
function work(ms) { const until = performance.now() + ms; while (performance.now() < until) Math.sqrt(until); }
async function readOrders() { work(300); return Array.from({ length: 12 }); }
async function saveOrders() { work(300); }
`;

it("the README's five lines give a transaction, and its labels as filters", async () => {
  const server = await startTestServer();
  const project = mkdtempSync(path.join(tmpdir(), 'hearth-readme-'));
  try {
    mkdirSync(path.join(project, 'node_modules/@hearth'), { recursive: true });
    symlinkSync(path.join(root, 'apps/agent'), path.join(project, 'node_modules/@hearth/agent'));
    writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'orders', type: 'module' }));
    const [imports, ...body] = taggingSnippet().split('\n');
    writeFileSync(
      path.join(project, 'main.js'),
      [imports, SURROUNDINGS, ...body, "const { flush } = await import('@hearth/agent'); await flush();"].join('\n'),
    );
    const fromMs = Date.now() - 1_000;
    await promisify(execFile)(process.execPath, ['--import', '@hearth/agent/preload', 'main.js'], {
      cwd: project,
      env: { ...process.env, HEARTH_URL: server.url, HEARTH_KEY: server.key, HEARTH_REVISION: 'r1' },
    });
    const range = `from=${fromMs}&until=${Date.now() + 1_000}`;
    const { transactions } = await askJson<TransactionsAnswer>(server, `/api/v1/transactions?service=orders&${range}`);
    expect(transactions.map(({ name, count }) => ({ name, count }))).toEqual([{ name: 'import orders', count: 1 }]);
    expect(transactions[0]!.cpuMicros).toBeGreaterThan(100_000);
    const { values } = await askJson<LabelValuesAnswer>(server, `/api/v1/services/orders/labels/items/values?${range}`);
    expect(values).toEqual(['10-99']);
    const match = encodeURIComponent('{transaction="import orders",plan="pro",items="10-99"}');
    const flame = await askJson<FlameGraphAnswer>(server, `/api/v1/flame-graph?service=orders&match=${match}&${range}`);
    expect(flame.names).toContain('readOrders');
    expect(flame.sum).toBe(transactions[0]!.cpuMicros);
  } finally {
    rmSync(project, { recursive: true });
    await server.stop();
  }
});
