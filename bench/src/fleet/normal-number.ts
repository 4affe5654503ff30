/** From a normal distribution with mean 0 and deviation 1 (Box and Muller 1958). */
export function normalNumber(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
