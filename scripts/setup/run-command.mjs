import { spawn } from 'node:child_process';
import { root } from '../root.mjs';
import { SetupError } from './setup-error.mjs';

/** How often a long step shows that it is still at work. */
const SIGN_OF_LIFE_MS = 10_000;
const OUTPUT_KEPT_CHARS = 20_000;

/**
 * Runs the commands of one step, one after the other in the project's folder, and prints a line when it begins,
 * every ten seconds, and when it is done.
 *
 * @param {string} title - `Installing 900 packages (npm ci)`
 * @param {string[][]} commands - Program and arguments of each.
 * @throws {SetupError} with what it printed, when one ends with anything but 0; its `code` is npm's, if npm gave one.
 */
export async function runStep(title, commands) {
  const startedMs = Date.now();
  const seconds = () => ((Date.now() - startedMs) / 1000).toFixed(0);
  console.log(`  ${title} ...`);
  const signOfLife = setInterval(() => console.log(`  ${title} ... ${seconds()} s`), SIGN_OF_LIFE_MS);
  try {
    for (const command of commands) {
      const { code, output } = await run(command);
      if (code !== 0)
        throw new SetupError(faultOf(title, command, code, output), /npm (?:error|ERR!) code (\w+)/.exec(output)?.[1]);
    }
  } finally {
    clearInterval(signOfLife);
  }
  console.log(`  ${title}: done in ${seconds()} s`);
}

/** Runs `npm` with the npm that runs us, or the one on the PATH. */
export function npmCommand(...args) {
  const ours = process.env.npm_execpath;
  if (ours && /npm-cli\.[cm]?js$/.test(ours)) return [process.execPath, ours, ...args];
  return process.platform === 'win32' ? ['npm.cmd', ...args] : ['npm', ...args];
}

function run([program, ...args]) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], shell: program.endsWith('.cmd') });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output = (output + text).slice(-OUTPUT_KEPT_CHARS);
      });
    }
    child.once('error', (error) =>
      reject(
        new SetupError(
          error.code === 'ENOENT' ? `${program} is not on the PATH: install Node with npm and try again.` : String(error),
        ),
      ),
    );
    child.once('close', (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

function faultOf(title, command, code, output) {
  if (/ENOSPC|no space left on device/i.test(output)) return `${title} failed: the disk is full. Free about 2 GB and try again.`;
  if (/EACCES|EPERM/.test(output) && /npm/.test(command.join(' ')))
    return `${title} failed: no permission to write in ${root}. Its owner is another user?\n${lastLines(output, 6)}`;
  if (/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN/.test(output))
    return `${title} failed: the npm registry cannot be reached. Check the network or the registry setting of npm.\n${lastLines(output, 4)}`;
  // npm says what is wrong first, and how it is used at length after that.
  const npmFault = output.indexOf('npm error');
  return `${title} failed (exit ${code}):\n${npmFault === -1 ? lastLines(output, 30) : output.slice(npmFault).split('\n').slice(0, 12).join('\n')}`;
}

function lastLines(text, count) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
