import type { FunctionKey } from '@hearth/profile-model';

/** Not in an index. */
export const ABSENT = -1;

/**
 * Row of each function. Keyed by its three parts one within the other: a batch asks for hundreds of functions, and a
 * joined text would have to be built and hashed for each.
 */
export class FunctionIndex {
  readonly #byName = new Map<string, Map<string, Map<string, number>>>();

  row({ name, file, package: packageName }: FunctionKey): number {
    return this.#byName.get(name)?.get(file)?.get(packageName) ?? ABSENT;
  }

  set({ name, file, package: packageName }: FunctionKey, row: number): void {
    let byFile = this.#byName.get(name);
    if (byFile === undefined) this.#byName.set(name, (byFile = new Map()));
    let byPackage = byFile.get(file);
    if (byPackage === undefined) byFile.set(file, (byPackage = new Map()));
    byPackage.set(packageName, row);
  }
}
