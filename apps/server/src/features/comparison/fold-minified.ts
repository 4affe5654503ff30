import type { FunctionTable } from '@hearth/profile-model';

/** Name of all functions of one minified file together. */
export const MINIFIED_FUNCTION = '(minified)';

/** A minifier names functions anew in each build, so equal names are other functions: of these files of the program, each is taken as one function. */
export function foldMinified(functions: FunctionTable, minifiedFiles: ReadonlySet<string>): FunctionTable {
  if (minifiedFiles.size === 0) return functions;
  const isMinified = (row: number) => functions.package[row] === '' && minifiedFiles.has(functions.file[row]!);
  return { ...functions, name: functions.name.map((name, row) => (isMinified(row) ? MINIFIED_FUNCTION : name)) };
}
