/**
 * The ids of rows; a row below 0 (no stack) stays.
 *
 * @returns `column`, as long as `rows`.
 */
export function idColumn<Column extends Int32Array | Uint32Array>(
  rows: Int32Array | Uint32Array,
  ids: ArrayLike<number>,
  column: Column,
): Column {
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at]!;
    column[at] = row < 0 ? row : ids[row]!;
  }
  return column;
}
