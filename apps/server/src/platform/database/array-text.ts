/** Numbers as the text of a Postgres array, for a parameter such as `$1::bigint[]`: what `pg` makes of an array it quotes element by element. */
export function arrayText(numbers: ArrayLike<number>): string {
  return `{${Array.prototype.join.call(numbers, ',')}}`;
}

/** Arrays of any lengths as the text of an array of their texts, for a parameter such as `$1::text[]`. */
export function nestedArrayText(arrays: readonly ArrayLike<number>[]): string {
  return `{${arrays.map((numbers) => `"${arrayText(numbers)}"`).join(',')}}`;
}
