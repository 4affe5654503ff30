import { parseArgs } from 'node:util';

export const USAGE = `hearth-server                            starts the server; its variables: .env.example
hearth-server backup FILE                writes everything it has stored into FILE; servers may go on meanwhile
hearth-server restore FILE [--replace]   loads FILE into an empty database; with --replace the database is emptied first
hearth-server --version | --help

FILE may be - for standard output or input. The database is that of DATABASE_URL, or the embedded one in HEARTH_DATA_DIR.
`;

export type Command =
  | { readonly name: 'backup'; readonly place: string }
  | { readonly name: 'restore'; readonly place: string; readonly replace: boolean };
export type Asked = Command | { readonly name: 'serve' } | { readonly name: 'version' } | { readonly name: 'help' };

/** The arguments are not ones that can be followed. The message is one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @param args - Behind the name of the program. @throws {UsageError} */
export function parseCommandLine(args: readonly string[]): Asked {
  const { values, positionals } = parse(args);
  if (values.help === true) return { name: 'help' };
  if (values.version === true) return { name: 'version' };
  const [name, place, ...more] = positionals;
  if (values.replace === true && name !== 'restore') throw new UsageError('--replace belongs to restore');
  if (name === undefined) return { name: 'serve' };
  if (name !== 'backup' && name !== 'restore') throw new UsageError(`there is no command ${JSON.stringify(name)}`);
  if (place === undefined || place === '')
    throw new UsageError(`${name} needs a FILE, or - for standard ${name === 'backup' ? 'output' : 'input'}`);
  if (more.length > 0) throw new UsageError(`${name} takes one FILE`);
  return name === 'backup' ? { name, place } : { name, place, replace: values.replace === true };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { replace: { type: 'boolean' }, version: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new UsageError((error as Error).message.split('\n')[0]!, { cause: error });
  }
}
