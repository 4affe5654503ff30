import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../root.mjs';

const SKIPPED = new Set(['node_modules', 'dist', '.types', 'dist-pack', '.git', '.hearth', '.cache', 'fixtures', 'coverage']);

/** Paths relative to the root of all files below `folders` whose name ends in one of `endings`, sorted. Builds and fixtures are left out. */
export function listFiles(folders, endings) {
  const found = [];
  const open = [...folders];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const name = path.posix.join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) open.push(name);
      } else if (endings.some((ending) => entry.name.endsWith(ending))) found.push(name);
    }
  }
  return found.sort();
}

export function readText(file) {
  return readFileSync(path.join(root, file), 'utf8');
}
