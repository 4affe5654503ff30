/**
 * npm test: set up what is missing, build, then every check and every test, cheap to dear.
 * `npm test` runs all; `npm run test:unit|integration|e2e` one kind. Last line: `N passed, N failed[, N skipped]`.
 */
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { root } from './root.mjs';
import { ensureReady } from './setup.mjs';

const KINDS = ['unit', 'integration', 'e2e'];
const asked = process.argv.slice(2);
const unknown = asked.filter((kind) => !KINDS.includes(kind));
if (unknown.length > 0) {
  console.error(`unknown kind of test: ${unknown.join(', ')}; choose from ${KINDS.join(', ')}`);
  process.exit(2);
}
const kinds = asked.length > 0 ? asked : KINDS;
const startedMs = Date.now();
const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const skips = [];

await ensureReady();
if (asked.length === 0) await runAllChecks();
for (const kind of kinds) await runTests(kind);
report();

async function runAllChecks() {
  heading('checks: format, types, lint, boundaries, documents');
  // Imported only now: the checks need what ensureReady has installed.
  const { runChecks } = await import('./checks/run-checks.mjs');
  for (const { name, status } of await runChecks()) {
    counts[status] += 1;
    if (status === 'failed') failures.push(name);
  }
}

async function runTests(kind) {
  heading(`${kind} tests`);
  const folder = mkdtempSync(path.join(tmpdir(), 'hearth-test-'));
  const resultFile = path.join(folder, 'result.json');
  try {
    const code = await vitest([
      'run',
      '--project',
      `${kind}*`,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${resultFile}`,
    ]);
    // A run that ends before its report (out of memory, a syntax error in the set-up) counts as one failure, never as nothing.
    if (!existsSync(resultFile)) return fail(`${kind} tests ended without a report (exit ${code})`);
    const { testResults } = JSON.parse(readFileSync(resultFile, 'utf8'));
    let failedHere = 0;
    for (const { name: file, assertionResults, status, message } of testResults) {
      for (const { status: outcome, fullName } of assertionResults) {
        if (outcome === 'passed') counts.passed += 1;
        else if (outcome === 'failed') failedHere += fail(`${path.relative(root, file)}: ${fullName}`);
        else {
          counts.skipped += 1;
          skips.push(`${path.relative(root, file)}: ${fullName}`);
        }
      }
      // A file that fails before its first test has no assertions to count.
      if (status === 'failed' && !assertionResults.some((one) => one.status === 'failed'))
        failedHere += fail(`${path.relative(root, file)}: ${message}`);
    }
    if (code !== 0 && failedHere === 0) fail(`${kind} tests ended with exit ${code}: see above`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function vitest(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, NO_COLOR: process.stdout.isTTY ? undefined : '1' },
    });
    child.once('exit', (code, signal) => resolve(signal ?? code));
  });
}

function fail(what) {
  counts.failed += 1;
  failures.push(what);
  return 1;
}

function heading(text) {
  console.log(`\n== ${text} (${((Date.now() - startedMs) / 1000).toFixed(0)} s since the start)`);
}

function report() {
  heading('result');
  for (const what of skips) console.log(`skipped: ${what}`);
  for (const what of failures) console.log(`FAILED: ${what.split('\n')[0]}`);
  console.log(`took ${((Date.now() - startedMs) / 1000).toFixed(0)} s`);
  console.log(`${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`);
  process.exitCode = counts.failed > 0 ? 1 : 0;
}
