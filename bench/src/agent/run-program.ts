import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Runs a TypeScript program of this folder in a process of its own.
 *
 * @param core - The only one that it may run on (Linux).
 * @returns Its last line of output, which is JSON.
 */
export async function runProgram<Result>(name: string, args: readonly string[], core?: number): Promise<Result> {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const pinned = core === undefined ? [] : ['taskset', '--cpu-list', String(core)];
  const [command, ...rest] = [...pinned, process.execPath, ...process.execArgv, program, ...args] as [string, ...string[]];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${code}`);
  return JSON.parse(output.trim().split('\n').at(-1)!) as Result;
}
