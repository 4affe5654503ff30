/** Work that no compiler leaves out. */
export function spin(count: number): number {
  let x = 1;
  for (let at = 0; at < count; at += 1) x = Math.sqrt(x + at) + 1;
  return x;
}
