import { flatText } from './flat-text.js';

/** Row in the table of operations. */
export type OperationIndex = number;

/** Different operations of one process; what comes after is counted as its library's `(other)`. */
export const MAX_OPERATIONS = 500;
/** Libraries that operations name. */
const MAX_LIBRARIES = 100;
const OTHER = '(other)';

/** The names of operations, as `pg SELECT * FROM orders WHERE id = ?`: each once, for the life of the process, and not too many. */
export class OperationTable {
  readonly #names: string[] = [];
  readonly #libraries: string[] = [];
  readonly #rowsOf = new Map<string, Map<string, OperationIndex>>();

  /** @param library - One of few; for those beyond `MAX_LIBRARIES` it is `(other)`. */
  rowOf(library: string, detail: string): OperationIndex {
    let rows = this.#rowsOf.get(library);
    if (rows === undefined) {
      if (library !== OTHER && this.#rowsOf.size >= MAX_LIBRARIES) return this.rowOf(OTHER, OTHER);
      this.#rowsOf.set(library, (rows = new Map()));
    }
    return rows.get(detail) ?? this.#add(rows, library, detail);
  }

  name(operation: OperationIndex): string {
    return this.#names[operation]!;
  }

  library(operation: OperationIndex): string {
    return this.#libraries[operation]!;
  }

  /** The row that an operation is counted in where there is no room for its own. */
  otherOf(operation: OperationIndex): OperationIndex {
    return this.rowOf(this.#libraries[operation]!, OTHER);
  }

  #add(rows: Map<string, OperationIndex>, library: string, detail: string): OperationIndex {
    if (detail !== OTHER && this.#names.length >= MAX_OPERATIONS) return this.rowOf(library, OTHER);
    const row = this.#names.push(flatText(`${library} ${detail}`.trim())) - 1;
    this.#libraries.push(library);
    rows.set(flatText(detail), row);
    return row;
  }
}
