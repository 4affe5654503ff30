import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The few fields of the service's package.json that say who it is. */
export interface ServicePackage {
  readonly dir: string;
  readonly name: string;
  /** '' if it has none. */
  readonly version: string;
  /** The commit that npm wrote into a published package; '' if it has none. */
  readonly gitHead: string;
}

/** The nearest package.json with a name, from a folder upwards: build folders often hold one without. */
export function findServicePackage(startDir: string): ServicePackage | undefined {
  for (let dir = path.resolve(startDir); ; dir = path.dirname(dir)) {
    const found = readPackage(dir);
    if (found !== undefined) return found;
    if (dir === path.dirname(dir)) return undefined;
  }
}

function readPackage(dir: string): ServicePackage | undefined {
  try {
    const { name, version, gitHead } = JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    if (typeof name !== 'string' || name === '') return undefined;
    return { dir, name, version: text(version), gitHead: text(gitHead) };
  } catch {
    return undefined; // none here, or not readable as one
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
