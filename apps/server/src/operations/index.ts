export { parseCommandLine, USAGE, UsageError } from './command-line.js';
export type { Command } from './command-line.js';
export { runCommand } from './commands.js';
