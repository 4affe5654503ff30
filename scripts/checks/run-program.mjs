import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { root } from '../root.mjs';

/**
 * Runs a program of Node in the root of the project.
 *
 * @param {readonly string[]} args - Its file first.
 * @returns {Promise<{ status: number | NodeJS.Signals, stdout: string, stderr: string }>}
 */
export async function runProgram(args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  const [status, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { status, stdout, stderr };
}
