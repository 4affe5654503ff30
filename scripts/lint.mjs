/** Every check that needs no running program: format, types, lint, boundaries, dead code, documents. */
import { runChecks } from './checks/run-checks.mjs';

const failed = (await runChecks()).filter((check) => check.status === 'failed');
process.exitCode = failed.length > 0 ? 1 : 0;
