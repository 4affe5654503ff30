import type { FunctionKey } from './function-table.js';

/** Package of the runtime's own modules, `node:fs`. */
export const NODE_PACKAGE = 'node';
/** Package of what has no file: the garbage collector, built-in functions of the engine. */
export const NATIVE_PACKAGE = 'native';
/** File of all WebAssembly of a process. */
export const WASM_FILE = 'wasm:';

const ANONYMOUS = '(anonymous)';
/** Segments kept of a file outside the root, and what is written in front of them. */
const OUTSIDE_SEGMENTS = 3;
const OUTSIDE = '...';
/** A folder that names a release: a date, a counter, a version, a hash. The tail of a path outside the root begins after it. */
const RELEASE_SEGMENT = /\d{3,}|^\d+$|^v?\d+\.\d+|@|^[0-9a-f]{7,}$/i;
const WINDOWS_PATH = /^[A-Za-z]:[\\/]|^\\\\/;
const URL_SCHEME = /^([a-z][a-z0-9+.-]+):/i;

/**
 * The function that a runtime reports, as it will be called in every release: no line, no column, no version, no install path.
 *
 * | script | package | file |
 * |---|---|---|
 * | below `rootDir` | `''` | relative to it |
 * | in `node_modules` (the innermost, so nested and pnpm's too) | its package, with the scope | inside the package |
 * | `node:fs` | `node` | `fs` |
 * | none | `native` | `''` |
 * | elsewhere | `''` | `.../` and its last three folders at most, from behind any that names a release |
 * | relative path | `''` | as it is |
 *
 * @param raw - `scriptName` may be a path or a URL, of any operating system; of a URL the query, the fragment and the percent-encoding are removed.
 * @param rootDir - Absolute folder or file URL of the repository; '' if unknown, then nothing is below it.
 */
export function canonicalFunction(raw: { readonly name: string; readonly scriptName: string }, rootDir: string): FunctionKey {
  const name = raw.name === '' ? ANONYMOUS : raw.name;
  if (raw.scriptName === '') return { name, package: NATIVE_PACKAGE, file: '' };
  if (raw.scriptName.startsWith('node:')) return { name, package: NODE_PACKAGE, file: raw.scriptName.slice('node:'.length) };
  const path = plainPath(raw.scriptName);
  if (path === '') return { name, package: NATIVE_PACKAGE, file: '' }; // `?`, as some compilers write
  const ownFile = pathBelow(plainPath(rootDir), path);
  return { name, ...(packageFile(ownFile ?? path) ?? { package: '', file: ownFile ?? tailOutside(path) }) };
}

/** A script name from which `canonicalFunction` makes the same package and file again, with any root. */
export function scriptNameOf({ package: packageName, file }: Pick<FunctionKey, 'package' | 'file'>): string {
  if (packageName === '') return file;
  if (packageName === NATIVE_PACKAGE) return '';
  if (packageName === NODE_PACKAGE) return `node:${file}`;
  return file === '' ? `node_modules/${packageName}` : `node_modules/${packageName}/${file}`;
}

/** A path with `/` only, without `.`, `..`, empty segments and a slash at the end. Absolute ones begin with `/` or `C:/`. */
function plainPath(script: string): string {
  let path = script;
  const scheme = WINDOWS_PATH.test(path) ? undefined : URL_SCHEME.exec(path)?.[1]?.toLowerCase();
  // The rest is content, or made anew in each process or build.
  if (scheme === 'data' || scheme === 'blob' || scheme === 'wasm') return `${scheme}:`;
  if (scheme === 'file') path = filePath(path);
  // webpack://shop/./src/cart.ts, https://cdn.example/cart.js: what comes before the path says where it was served from.
  else if (scheme !== undefined && path.startsWith('://', scheme.length))
    path = decoded(withoutQuery(path.slice(scheme.length + 3)).replace(/^[^/]*\//, ''));
  else path = withoutQuery(path);
  if (WINDOWS_PATH.test(path)) path = path.replaceAll('\\', '/');

  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..' && segments.length > 0 && segments.at(-1) !== '..') segments.pop();
    else segments.push(segment);
  }
  return (path.startsWith('/') ? '/' : '') + segments.join('/');
}

/** The path in a file URL. A host is a share of Windows: it becomes the first folder, as in `\\\\host\\share`. */
function filePath(url: string): string {
  const path = decoded(withoutQuery(url.slice('file://'.length)).replace(/#.*$/s, ''));
  if (/^\/[A-Za-z]:[\\/]/.test(path)) return path.slice(1);
  return path.startsWith('/') ? path : `/${path}`;
}

/** Loaders that reload code put a counter there. */
function withoutQuery(path: string): string {
  return path.replace(/\?.*$/s, '');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a bare % in it: it was never encoded
  }
}

/** What follows `folder/` in `path`; `undefined` if `path` is not below `folder`. Windows does not tell A from a. */
function pathBelow(folder: string, path: string): string | undefined {
  if (folder === '') return undefined;
  const prefix = folder.endsWith('/') ? folder : `${folder}/`;
  const isBelow = WINDOWS_PATH.test(folder) ? path.toLowerCase().startsWith(prefix.toLowerCase()) : path.startsWith(prefix);
  return isBelow ? path.slice(prefix.length) : undefined;
}

/** Splits behind the last `node_modules`; `undefined` if the path has none. */
function packageFile(path: string): { package: string; file: string } | undefined {
  const segments = path.split('/');
  const at = segments.lastIndexOf('node_modules');
  if (at === -1 || at === segments.length - 1) return undefined;
  const packageLength = segments[at + 1]!.startsWith('@') && segments.length > at + 2 ? 2 : 1;
  return {
    package: segments.slice(at + 1, at + 1 + packageLength).join('/'),
    file: segments.slice(at + 1 + packageLength).join('/'),
  };
}

/** The end of an absolute path; a relative path as it is. */
function tailOutside(path: string): string {
  if (!path.startsWith('/') && !WINDOWS_PATH.test(path)) return path;
  const segments = path.split('/').filter((segment) => segment !== '');
  const folders = segments.slice(0, -1);
  const releaseAt = folders.findLastIndex((segment) => RELEASE_SEGMENT.test(segment) || /^[A-Za-z]:$/.test(segment));
  const from = Math.max(releaseAt + 1, segments.length - OUTSIDE_SEGMENTS);
  return [OUTSIDE, ...segments.slice(from)].join('/');
}
