#!/usr/bin/env node
import { runCommandLine } from './command-line.js';
import { readEnvironment } from './environment.js';

process.exitCode = await runCommandLine(process.argv.slice(2), readEnvironment(), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  isInteractive: process.stderr.isTTY,
});
