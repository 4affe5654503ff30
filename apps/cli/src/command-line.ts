import { parseArgs } from 'node:util';
import type { CliEnvironment } from './environment.js';
import { HELP, UPLOAD_HELP } from './help.js';
import { uploadSourceMaps } from './source-maps/upload-command.js';
import { CliError, EXIT, type ExitCode, type Terminal } from './terminal.js';
import { VERSION } from './version.js';

const OPTIONS = {
  service: { type: 'string' },
  revision: { type: 'string' },
  root: { type: 'string' },
  url: { type: 'string' },
  key: { type: 'string' },
  'without-sources': { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', default: false },
} as const;

/** Runs what the arguments ask for. Throws nothing. @returns What the process is to end with. */
export async function runCommandLine(
  args: readonly string[],
  environment: CliEnvironment,
  terminal: Terminal,
): Promise<ExitCode> {
  try {
    return await run(args, environment, terminal);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    terminal.err(`hearth: ${error.message}\n`);
    return error.exitCode;
  }
}

async function run(args: readonly string[], environment: CliEnvironment, terminal: Terminal): Promise<ExitCode> {
  const { values, positionals } = parsed(args);
  const [topic, verb, dir, ...more] = positionals;
  if (values.version) {
    terminal.out(`${VERSION}\n`);
    return EXIT.done;
  }
  if (topic === undefined) {
    (values.help ? terminal.out : terminal.err)(HELP);
    return values.help ? EXIT.done : EXIT.usage;
  }
  if (topic !== 'source-maps') throw usage(`there is no command "${topic}"`);
  if (values.help) {
    terminal.out(UPLOAD_HELP);
    return EXIT.done;
  }
  if (verb !== 'upload') throw usage(verb === undefined ? 'source-maps: upload what?' : `source-maps has no command "${verb}"`);
  if (dir === undefined) throw usage('source-maps upload: name the folder of the build, as in "hearth source-maps upload dist"');
  if (more.length > 0) throw usage(`source-maps upload takes one folder, and was given "${more.join('", "')}" as well`);
  return uploadSourceMaps(
    {
      dir,
      service: values.service,
      revision: values.revision,
      root: values.root,
      url: values.url ?? environment.url,
      key: values.key ?? environment.key,
      sources: values['without-sources'] ? 'left-out' : 'sent',
      mode: values['dry-run'] ? 'dry-run' : 'upload',
      output: values.json ? 'json' : 'text',
      variables: environment.variables,
    },
    terminal,
  );
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // Its own advice about "--" begins with the second sentence.
    throw usage((error as Error).message.split('. ')[0]!.replace(/^U/, 'u'));
  }
}

function usage(message: string): CliError {
  return new CliError(EXIT.usage, `${message}. "hearth --help" shows what there is`);
}
