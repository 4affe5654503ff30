/**
 * Benjamini and Hochberg (1995): the smallest false discovery rate at which each hypothesis would be among the discoveries.
 *
 * @param p - One probability per hypothesis of one family.
 * @returns q in the order of `p`; q <= level selects what the step-up procedure at that level selects.
 */
export function falseDiscoveryRates(p: readonly number[]): number[] {
  const order = p.map((_, row) => row).sort((a, b) => p[b]! - p[a]! || a - b);
  const q = Array.from(p, () => 1);
  let smallest = 1;
  order.forEach((row, above) => {
    smallest = Math.min(smallest, (p[row]! * p.length) / (p.length - above));
    q[row] = smallest;
  });
  return q;
}
