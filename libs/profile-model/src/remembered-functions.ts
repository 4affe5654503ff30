import type { FunctionKey } from './function-table.js';

/** Of all programs together, roughly; then they are forgotten. */
const MAX_BYTES = 16 * 2 ** 20;
const ENTRY_BYTES = 200;
/** Longer ones are made up by somebody. */
const MAX_LENGTH = 1_000;

/**
 * What `make` makes of the functions that runtimes report, made once: a process sends the same few hundred every ten seconds, and taking a path apart costs
 * more than all the rest of reading it. The same function gives the same object, until there are too many.
 */
export class RememberedFunctions {
  readonly #make: (name: string, scriptName: string, rootDir: string) => FunctionKey;
  readonly #byRoot = new Map<string, Map<string, Map<string, FunctionKey>>>();
  #bytes = 0;

  constructor(make: (name: string, scriptName: string, rootDir: string) => FunctionKey) {
    this.#make = make;
  }

  /** Of programs whose repository is `rootDir`, by name and script name. To be used for one batch or file. */
  of(rootDir: string): (name: string, scriptName: string) => FunctionKey {
    if (rootDir.length > MAX_LENGTH) return (name, scriptName) => this.#make(name, scriptName, rootDir);
    if (this.#bytes > MAX_BYTES) {
      this.#byRoot.clear();
      this.#bytes = 0;
    }
    const byScript = this.#ofRoot(rootDir);
    return (name, scriptName) => {
      let byName = byScript.get(scriptName);
      let key = byName?.get(name);
      if (key !== undefined) return key;
      key = this.#make(name, scriptName, rootDir);
      const length = name.length + scriptName.length;
      if (length > MAX_LENGTH) return key;
      if (byName === undefined) byScript.set(scriptName, (byName = new Map()));
      byName.set(name, key);
      this.#bytes += ENTRY_BYTES + length * 2;
      return key;
    };
  }

  /** A root counts as well: it is the sender's text, and may come without a function. */
  #ofRoot(rootDir: string): Map<string, Map<string, FunctionKey>> {
    let byScript = this.#byRoot.get(rootDir);
    if (byScript === undefined) {
      this.#byRoot.set(rootDir, (byScript = new Map()));
      this.#bytes += ENTRY_BYTES + rootDir.length * 2;
    }
    return byScript;
  }
}
