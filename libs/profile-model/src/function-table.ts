/**
 * Functions as columns. A function is (package, file, name): never a line and never an install
 * path, so that it is the same function in the next release.
 */
export interface FunctionTable {
  readonly length: number;
  /** As the runtime reports it; `(anonymous)` where it has none. `(idle)`, `(program)`, `(garbage collector)`, `(root)` are the runtime's own. */
  readonly name: readonly string[];
  /** npm package without its version; '' for the program's own code; `node` for the runtime's modules; `native` where there is no file. */
  readonly package: readonly string[];
  /** Relative to the repository for own code, to the package for a package; '' where there is none. */
  readonly file: readonly string[];
}

/** One row of a `FunctionTable`. */
export interface FunctionKey {
  readonly name: string;
  readonly package: string;
  readonly file: string;
}
