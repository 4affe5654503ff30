import type { FunctionKey } from '@hearth/profile-model';

/** Not in an index. */
export const ABSENT = -1;

interface Entry {
  readonly file: string;
  readonly package: string;
  row: number;
}

/**
 * Row of each function. A batch asks for hundreds, and a joined text would have to be built and hashed for each, so functions are found by their name
 * alone. Nine of ten share it with no other function; those that do, as the nameless ones, are told apart by file, then package.
 */
export class FunctionIndex {
  readonly #byName = new Map<string, Entry | Map<string, Map<string, number>>>();

  row({ name, file, package: packageName }: FunctionKey): number {
    const found = this.#byName.get(name);
    if (found === undefined) return ABSENT;
    if (found instanceof Map) return found.get(file)?.get(packageName) ?? ABSENT;
    return found.file === file && found.package === packageName ? found.row : ABSENT;
  }

  set({ name, file, package: packageName }: FunctionKey, row: number): void {
    const found = this.#byName.get(name);
    if (found === undefined) {
      this.#byName.set(name, { file, package: packageName, row });
      return;
    }
    if (!(found instanceof Map)) {
      if (found.file === file && found.package === packageName) {
        found.row = row;
        return;
      }
      this.#byName.set(name, new Map([[found.file, new Map([[found.package, found.row]])]]));
      this.set({ name, file, package: packageName }, row);
      return;
    }
    let byPackage = found.get(file);
    if (byPackage === undefined) found.set(file, (byPackage = new Map()));
    byPackage.set(packageName, row);
  }
}
