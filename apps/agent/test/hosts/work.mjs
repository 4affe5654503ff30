/** Busy for some milliseconds. */
export function burn(ms) {
  const until = performance.now() + ms;
  let x = 0;
  while (performance.now() < until) x += Math.sqrt(x + 1);
  return x;
}
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
