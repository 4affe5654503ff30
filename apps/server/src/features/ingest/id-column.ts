import { NO_PARENT } from '@hearth/profile-model';
import { NO_STACK } from '../profile-store/index.js';

/**
 * The ids of rows; that of no row is `NO_STACK`.
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
    column[at] = row === NO_PARENT ? NO_STACK : ids[row]!;
  }
  return column;
}
