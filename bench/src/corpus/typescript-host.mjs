/**
 * Type-checks projects of this repository, one after the other, for the given seconds: what a build service does. `tsc` itself never
 * returns to its event loop until it ends, and an agent inside it could send nothing. Arguments: seconds, then configuration files.
 */
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import ts from 'typescript';
import { stop, transaction } from '@hearth/agent';

const [seconds, ...configs] = process.argv.slice(2);
const untilMs = performance.now() + Number(seconds) * 1_000;
while (performance.now() < untilMs)
  for (const config of configs) await transaction('check', { project: config }, () => check(config));
await stop();

async function check(config) {
  const { fileNames, options } = ts.getParsedCommandLineOfConfigFile(
    config,
    { noEmit: true },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic() {} },
  );
  const program = ts.createProgram(fileNames, options);
  await turn();
  for (const file of program.getSourceFiles()) {
    if (file.fileName.includes(`${path.sep}node_modules${path.sep}`)) continue;
    program.getSemanticDiagnostics(file);
    await turn();
  }
}
