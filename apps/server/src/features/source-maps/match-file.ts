const OUTSIDE = '.../';

/**
 * The map of a generated file, by its path: the same, or one that ends in the other. A build knows the file by its path in the repository, a container that got only
 * a folder of it by a shorter one. `undefined` where none fits, or several do alike.
 *
 * @param files - Paths of maps, relative to a root; none ends in `/`.
 * @param file - As functions name it; `.../` stands before what is outside of the root.
 */
export function matchFile(files: readonly string[], file: string): string | undefined {
  if (files.includes(file)) return file;
  const isOutside = file.startsWith(OUTSIDE);
  const path = isOutside ? file.slice(OUTSIDE.length) : file;
  const fitting = files.filter((one) => one === path || one.endsWith(`/${path}`) || path.endsWith(`/${one}`));
  const longest = Math.max(...fitting.map((one) => Math.min(one.length, path.length)));
  const best = fitting.filter((one) => Math.min(one.length, path.length) === longest);
  return best.length === 1 ? best[0] : undefined;
}
