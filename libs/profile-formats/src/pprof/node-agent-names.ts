const LINE_AND_COLUMN = /^\(anonymous:L#\d+:C#\d+\)$/;
/** What the wall profiler of `@datadog/pprof` calls V8's own entries. */
const RUNTIME_NAMES: Readonly<Record<string, string>> = { 'Garbage Collection': '(garbage collector)' };

/**
 * The function behind the names of the Node agents, which would otherwise change with every line that is added above it:
 *
 * - `@datadog/pprof` calls a function without a name `(anonymous:L#4:C#2)`;
 * - `@pyroscope/nodejs` writes file and line into every name: `./src/cart.js:alloc:5`, `node:fs:readSync:712`, `:(idle):0`. The file is relative to the
 *   working directory, better than the absolute one beside it.
 *
 * Other names are returned as they are.
 */
export function nodeAgentFunction(name: string, file: string): { name: string; scriptName: string } {
  const unwrapped = withoutPlace(name, file) ?? { name, scriptName: file };
  if (LINE_AND_COLUMN.test(unwrapped.name)) return { ...unwrapped, name: '' };
  const ownName =
    unwrapped.scriptName === '' && Object.hasOwn(RUNTIME_NAMES, unwrapped.name) ? RUNTIME_NAMES[unwrapped.name]! : unwrapped.name;
  return { ...unwrapped, name: ownName };
}

/** `undefined` unless the name begins with the very file and ends in a line: C++ and Go names have colons too. */
function withoutPlace(name: string, file: string): { name: string; scriptName: string } | undefined {
  const line = /:\d{1,9}$/.exec(name);
  if (line === null) return undefined;
  const rest = name.slice(0, line.index);
  if (file === '') return rest.startsWith(':') ? { name: rest.slice(1), scriptName: '' } : undefined;
  if (rest.startsWith(`${file}:`)) return { name: rest.slice(file.length + 1), scriptName: file };
  if (!rest.startsWith('./')) return undefined;
  const plainFile = file.replace(/^file:\/\//, '').replaceAll('\\', '/');
  for (let colon = rest.indexOf(':'); colon !== -1; colon = rest.indexOf(':', colon + 1)) {
    const relative = rest.slice(2, colon);
    if (plainFile.endsWith(`/${relative}`)) return { name: rest.slice(colon + 1), scriptName: relative };
  }
  return undefined;
}
